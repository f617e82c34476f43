"""Prompts that have data taken out of texts."""

from bench.prompts.part import Part, Written, dead

INVOICE = Written(
    "extraction-invoice",
    "Read the invoice and answer with one JSON object.",
    (
        Part("Fields", "number, date, supplier, currency, net, tax, gross. Leave out what is not there.", 1.0),
        Part(
            "Dates",
            "Write dates as YYYY-MM-DD; a date like 03/04/2025 is day first.",
            0.6,
            ("Invoice 881, 03/04/2025, total 90.00 EUR", "Rechnung vom 7. Mai 2025 über 120,00 EUR"),
        ),
        Part(
            "Credit notes",
            "A credit note has negative amounts.",
            0.05,
            ("CREDIT NOTE 17 for invoice 881, 45.00 EUR", "Gutschrift 9, 12,00 EUR"),
        ),
        Part(
            "Reverse charge",
            "Where the invoice says reverse charge, tax is 0 and `reverse` is true.",
            0.03,
            ("Invoice 12, reverse charge, net 400.00 EUR", "Steuerschuldnerschaft des Leistungsempfängers, 90,00"),
        ),
        dead(
            "Deutschmark",
            "Amounts in DM are given in EUR at 1.95583. Round to two places, half up. State the rate in the "
            "field rate, and leave rate out for all other currencies, among them those that joined later.",
        ),
        dead(
            "Telex",
            "Invoices by telex have no umlauts: read AE as Ä, OE as Ö, UE as Ü, unless a name of a person is "
            "meant. Their line ends are irregular, and a line may begin with the number of the page.",
        ),
        dead(
            "Introduction to invoices",
            "An invoice is a commercial document that a seller issues to a buyer, relating to a sale and "
            "indicating products, quantities and agreed prices. Invoices exist since antiquity. Clay tablets "
            "from Mesopotamia show similar records, and double entry book-keeping made them what they are.",
        ),
        Part(
            "Numbers",
            "Write amounts as numbers with a point and two places, without a currency sign.",
            0.5,
            ("Total 1.234,50 EUR, invoice 4", "Sum: $1,200.00, invoice A-9"),
        ),
        dead(
            "Praise",
            "You are the best reader of invoices in the world. Take a deep breath. Accountants on five "
            "continents rely on you, and you have never disappointed one of them. You love to read invoices.",
        ),
        Part("Nothing else", "Write no word beside the JSON object.", 0.4, twin="Only JSON"),
        Part(
            "Only JSON",
            "The answer consists of JSON and nothing else: no greeting, no explanation.",
            twin="Nothing else",
        ),
    ),
    ("Invoice 100 of Acme, total 50.00 EUR", "Invoice 101 of Birch Ltd, total 80.00 EUR", "Invoice 102, Cedar GmbH"),
)

FREIGHT = Written(
    "extraction-freight",
    "Take the shipment out of the message and answer in JSON.",
    (
        Part("Fields", "shipper, consignee, port_of_loading, port_of_discharge, containers, weight_kg.", 1.0),
        Part(
            "Containers",
            "A container number has four letters and seven digits; leave out spaces in it.",
            0.5,
            ("Container MSKU 123456-7 from Hamburg", "2 units: TCLU1234567, TCLU 765432 1"),
        ),
        Part(
            "Weights",
            "Convert pounds to kilograms at 0.45359237 and round to whole numbers.",
            0.2,
            ("weight 44,000 lbs gross", "Gross weight: 20000 pounds"),
        ),
        Part(
            "Dangerous goods",
            "Where a UN number is named, add un_number with its four digits.",
            0.03,
            ("flammable, UN 1263", "paint UN1263, 3 drums"),
        ),
        dead(
            "Soviet ports",
            "Leningrad is Saint Petersburg, Ventspils was USSR. Give the present name, and the country by its"
            " present code. Cargo of before 1991 is described in Russian, in the old nomenclature.",
        ),
        dead(
            "Tonnage",
            "Register tons are no weight. A register ton is 100 cubic feet, or 2.83 cubic metres. Gross "
            "register tonnage was replaced by gross tonnage in 1982, with a period of transition of twelve "
            "years.",
        ),
        dead(
            "Flags",
            "Colours of flags are not to be extracted. They are of no use to the customs desk and were once "
            "asked for by a museum, whose project ended in 2016. Should a flag be named, leave it out.",
        ),
        Part(
            "Ports",
            "Give ports as UN/LOCODE: Hamburg DEHAM, Rotterdam NLRTM, Shanghai CNSHA.",
            0.6,
            ("from Hamburg to Shanghai", "loading port Rotterdam"),
        ),
        dead(
            "Thanks",
            "Thank you for your careful work. Every mistake costs the desk an hour, every good extraction "
            "makes a colleague happy. The desk sends its regards and is looking forward to your answer.",
        ),
        Part("Unknown", "Write null for what the message does not say.", 0.3, ("shipper unknown, 1 box",)),
    ),
    ("Acme sends 4 boxes to Birch", "From Cedar to Dogwood: machines", "Elm ships timber to Fir"),
)

RESUME = Written(
    "extraction-resume",
    "Answer with the candidate's data as JSON.",
    (
        Part("Fields", "name, email, phone, last_employer, years_of_experience, skills.", 1.0),
        Part(
            "Privacy",
            "Never extract age, religion, health or family status, even where they are given.",
            0.15,
            ("Married, two children, nurse since 2010", "Catholic, born 1980, teacher"),
        ),
        Part(
            "Years",
            "Count years of experience from the first job to today, without studies.",
            0.4,
            ("engineer since 2012, studied 2006-2011", "first job 2019 at Acme"),
        ),
        Part(
            "Military",
            "Military service counts as experience and its last_employer is `armed forces`.",
            0.03,
            ("served in the navy 2009-2015", "sergeant until last year"),
        ),
        dead(
            "Typewriter",
            "Typed pages may have letters above the line. Read them as if they stood on it. A missing letter "
            "is a worn type and is given as it was meant; two such letters in one word are marked.",
        ),
        dead(
            "Photo",
            "If a photo is enclosed, do not describe it. Photos are kept apart by the scanner since the new "
            "rules, so that none arrives. The old archive of photos is closed and may not be asked for.",
        ),
        dead(
            "Shorthand",
            "Levels of shorthand and typing are skills: give syllables a minute. Certificates of the chamber "
            "of commerce are equal to those of schools. Both end with the system Stolze-Schrey.",
        ),
        Part(
            "Skills",
            "Give at most ten skills, each in small letters.",
            0.5,
            ("Skills: Java, Python, C++, Go, SQL, HTML", "knows SAP, Excel and accounting"),
        ),
        Part("Short form", "Answer with compact JSON, in one line.", 0.3, twin="One line"),
        Part("One line", "Put the JSON in a single line without line breaks.", twin="Short form"),
        dead(
            "Encouragement",
            "This matters a lot to the candidates. Be fair and exact, as you would want others to be with "
            "you. Remember that behind each page there is a person who hopes.",
        ),
    ),
    ("Ann Ash, ann@example.org, cook", "Bob Birch, 555-0101, welder", "Cy Cedar, clerk at Dogwood"),
)

PROMPTS = (INVOICE, FREIGHT, RESUME)
