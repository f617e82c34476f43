"""Asks of our own: templates with two slots whose fillers exclude each other or change places."""

from collections.abc import Iterator
from itertools import permutations

from bench.near_misses.pair import Pair

_FILLED: dict[str, tuple[tuple[str, str], ...]] = {
    "number": (
        ("What is {} percent of 1,250?", "4 8 14 18 35"), ("Give me {} tips to fall asleep sooner", "3 four 9 12"),
        ("How do I cook rice for {} guests?", "two 5 eight 20"), ("Is {} divisible by 7?", "84 91 94 123"),
        ("Solve for x: 3x + 5 = {}", "17 20 26 71"), ("Explain section {} of the tax code", "12 21 162 179"),
        ("Which cars seat {} people?", "five seven 8 nine"), ("Round {} to one decimal", "3.14 3.41 13.4 0.314"),
    ),
    "date": (
        ("Is the library open on {}?", "Monday Saturday Sunday Easter"), ("What happened in {}?",
            "1914 1918 1941 1949"),
        ("Remind me to take my pills at {}", "8am 8pm noon midnight"), ("Which films came out in {}?",
            "May June 1999 2003"),
        ("Book a haircut for {} afternoon", "Tuesday Thursday tomorrow Friday"),
        ("How was the harvest in the {} century?", "12th 13th 18th 19th"),
    ),
    "entity": (
        ("Who is the prime minister of {}?", "Canada Norway India Malta"), ("Who founded {}?",
            "Nokia Siemens Lego Ikea"),
        ("How do I parse JSON in {}?", "Kotlin Rust Perl Go"), ("What do {} eat?", "koalas hedgehogs owls moles"),
        ("Is {} safe for children?", "ibuprofen aspirin melatonin honey"), ("Where was {} born?",
            "Mozart Chopin Bach Verdi"),
        ("How do I clean a {}?", "sofa grill kettle flute"), ("What does a {} earn?", "nurse pilot judge roofer"),
        ("How do I cancel my {}?", "booking subscription insurance membership"),
    ),
    "unit": (
        ("How far is the moon in {}?", "miles kilometres inches parsecs"), ("How heavy is an elephant in {}?",
            "kilos stones tons"),
        ("How much is a hundred {} in francs?", "dollars euros yen kroner"), ("How long is a marathon in {}?",
            "yards feet metres"),
        ("What is my body temperature in {}?", "celsius fahrenheit kelvin"), ("How much does it cost per {}?",
            "day week month year"),
    ),
    "language": (
        ("How do you say good morning in {}?", "Polish Swahili Turkish Welsh"),
        ("Translate this menu into {}", "Finnish Greek Dutch Korean"), ("Name a poet who wrote in {}",
            "Latin Persian Urdu Czech"),
        ("Write a love letter in {}", "Spanish Hungarian Italian English"),
    ),
    "negation": (
        ("Which fish {} eat when pregnant?", "can_I can't_I"), ("Which mushrooms are {} edible?", "really not"),
        ("Show me the servers that are {} running", "still not no_longer"), ("Why {} cats like water?", "do don't"),
        ("Foods to eat {} gluten", "with without"), ("List the employees who {} the training",
            "finished never_finished"),
        ("Write a reply that {} the delay", "mentions does_not_mention"), ("I {} my new card yet",
            "received did_not_receive"),
        ("Is it true that vaccines {} autism?", "cause do_not_cause"), ("Reasons {} to move to the country",
            "for_me not"),
    ),
    "antonym": (
        ("How do I {} my appetite?", "stimulate suppress"), ("Why do prices {} in winter?", "rise fall"),
        ("How do I {} a file in Linux?", "hide unhide"), ("How to {} hair at home", "straighten curl"),
        ("What makes bread {}?", "rise collapse"), ("How do I {} a debate?", "win lose"), ("How do I {} a tent?",
            "pitch dismantle"),
        ("What are {} fats?", "saturated unsaturated"), ("How can I {} notifications?", "mute unmute"),
        ("What makes a wine {}?", "dry sweet"), ("How do I {} my blood pressure?", "lower raise"),
        ("Give me an {} view of the merger", "optimistic pessimistic"), ("Is the drug {}?", "addictive harmless"),
        ("Name {} animals", "nocturnal diurnal"), ("Explain {} reasoning", "inductive deductive"),
        ("What is a {} argument?", "valid fallacious"), ("Examples of {} numbers", "rational irrational"),
    ),
    "question": (
        ("{} did the Romans build the wall?", "Why When How Where"), ("{} is the head of the union?", "Who Where"),
        ("{} do bees make honey?", "Why How When"), ("{} can I renew my passport?", "Where When How"),
        ("{} was the contract signed?", "When Where Why"), ("How {} is the bridge?", "old long high"),
        ("How {} should I water the plant?", "often much"), ("{} invented the telephone?", "Who When_was"),
    ),
    "pronoun": (
        ("What are {} rights as a tenant?", "my your their her"), ("Write a birthday card for {}", "him her them"),
        ("Did {} win the match?", "he she we they"), ("How do I find {} tax number?", "my his our"),
        ("Can {} travel without a visa?", "I she they we"), ("Is this {} fault?", "my your their"),
        ("When should {} apply for the loan?", "I we he"), ("Describe {} role in the project", "my his your"),
    ),
    "quantity": (
        ("Are {} sharks dangerous?", "all some most any"), ("Delete {} of the photos", "all none most some"),
        ("Did {} of the suspects confess?", "all both neither one"), ("Do {} birds migrate?", "all some most few"),
        ("List the students who passed {} exams", "all some no both"), ("I need {} five volunteers",
            "at_least at_most exactly"),
        ("Does {} planet have moons?", "every any each_outer"), ("Is it {} raining in Bergen?", "always often never"),
        ("{} of the keys work, what now?", "None Some Most"), ("How do I mute {} in the group?", "everyone someone"),
    ),
    "comparative": (
        ("Which country has the {} debt?", "highest lowest second_highest"), ("Who was the {} emperor?",
            "first last youngest"),
        ("Is a bike {} than a scooter?", "faster cheaper slower safer"), ("Name the {} lake in Finland",
            "deepest largest smallest"),
        ("Which phone has the {} battery?", "best worst biggest"), ("Rooms with {} than two beds", "more fewer"),
        ("Find flights {} 300 euros", "under over"), ("What is the {} expensive city?", "most least"),
        ("Write a {} version of the slogan", "shorter longer funnier"), ("Houses built {} the war",
            "before after during"),
    ),
    "scope": (
        ("List the countries that {} border Spain", "only also"), ("Show all invoices {} the paid ones",
            "except including"),
        ("Which apps work {}?", "offline online"), ("Summarise {} the first chapter", "only everything_but"),
        ("What may I deduct {} tax?", "before after"), ("Which pets are allowed {} the building?", "inside outside"),
        ("Rate the hotels {} breakfast", "with without"), ("Search {} the archive", "within outside"),
        ("Exercises {} weights", "with without"), ("Explain gravity to {}", "a_child a_physicist my_grandmother"),
        ("Which laws apply to {} companies?", "all foreign small state-owned"), ("Is parking free {} Sundays?",
            "on except_on"),
    ),
}  # fmt: skip
"""Kind -> templates and what their slot is filled with; a filler's underscores are spaces."""

_PEOPLE = ("Anna Boris", "Mia Leo", "the landlord the tenant", "the nurse the surgeon", "a cat a fox", "Spain Portugal",
           "the buyer the broker", "my uncle my cousin", "a wolf a bear", "Ajax Porto")  # fmt: skip

_ROLES = (
    "Did {} call {} first?", "Why did {} sue {}?", "When did {} defeat {}?", "How much does {} owe {}?",
    "Is {} older than {}?", "Does {} trust {}?", "Was {} attacked by {}?", "What did {} say to {}?",
    "Write a story in which {} rescues {}", "Can {} outrun {}?", "How did {} meet the sister of {}?",
    "Explain why {} apologised to {}", "Write a letter from {} to {}", "Tell me how {} taught {} to swim",
    "Is {} taller than {}?", "Did {} lend {} any money?", "What does {} want from {}?", "Who saw {} push {}?",
    "Has {} forgiven {}?", "Would {} win against {}?", "Is {} paid by {}?", "Imagine {} chasing {} across town",
)  # fmt: skip

_ORDERED = (
    ("How do I convert {} to {}?", ("PDF Word", "miles kilometres", "CSV JSON", "euros dollars", "binary decimal")),
    ("Translate the letter from {} to {}", ("Polish German", "English Thai", "Dutch Danish", "Greek Latin")),
    ("How long is the flight from {} to {}?", ("Oslo Rome", "Lima Quito", "Perth Tokyo", "Boston Dublin")),
    ("Subtract {} from {}", ("8 20", "15 4", "x y", "the discount the total")),
    ("What is {} divided by {}?", ("12 3", "144 12", "7 2", "a b")),
    ("Copy the files from {} to {}", ("staging production", "the laptop the server", "drive C drive D")),
    ("Sort the table by {}, then by {}", ("name date", "price size", "city age")),
    ("Replace every {} with a {}", ("tab space", "comma semicolon", "zero one", "dash dot")),
    ("Should I take {} before {}?", ("iron calcium", "physics chemistry", "yoga running", "lunch coffee")),
    ("What is the ratio of {} to {}?", ("boys girls", "cement sand", "debt equity", "height width")),
    ("Exchange {} for {}", ("yen pounds", "francs euros", "shares bonds")),
    ("Does {} cause {}?", ("stress insomnia", "poverty crime", "obesity diabetes", "anxiety asthma")),
    ("Can I use {} instead of {}?", ("butter oil", "honey sugar", "Redis Kafka", "nails screws")),
    ("How do I move from {} to {}?", ("Windows Linux", "Canada France", "MySQL Postgres", "sales marketing")),
    ("Raise {} to the power of {}", ("2 5", "3 4", "x n", "10 6")),
    ("Merge branch {} into {}", ("main feature", "develop release", "hotfix main")),
    ("Why is {} better than {}?", ("tea coffee", "Rust Go", "gas coal", "jazz rock")),
    ("Call f({}, {}) and explain the result", ("a b", "1 2", "x y", "key value")),
    ("Is {} part of {}?", ("Corsica Sardinia", "biology medicine", "Essex London")),
    ("The train leaves {} and arrives in {}, how long is that?", ("Basel Zurich", "Lyon Paris", "Kyoto Osaka")),
)  # fmt: skip

_OTHER_LANGUAGE = (
    ("How do I reset my password?", "¿Cómo restablezco mi contraseña?"), ("Where is my parcel?", "Wo ist mein Paket?"),
    ("Where is my parcel?", "Où est mon colis ?"), ("What is the weather like?", "Come è il tempo oggi?"),
    ("How much does shipping cost?", "Quanto custa o envio?"), ("Cancel my order please",
        "Bitte storniere meine Bestellung"),
    ("Tell me a joke", "Raconte-moi une blague"), ("How old is the universe?", "Wie alt ist das Universum?"),
)  # fmt: skip


def written() -> Iterator[Pair]:
    """All of them, in a fixed order."""
    for kind, templates in _FILLED.items():
        for template, fillers in templates:
            for one, other in permutations([word.replace("_", " ") for word in fillers.split()], 2):
                yield Pair(kind, f"written: {template}", template.format(one), template.format(other))
    for template in _ROLES:
        for pair in _PEOPLE:
            yield Pair("roles", f"written: {template}", *_both(template, pair))
    for template, pairs in _ORDERED:
        for pair in pairs:
            yield Pair("order", f"written: {template}", *_both(template, pair))
    for english, foreign in _OTHER_LANGUAGE:
        yield Pair("language", "written: another language", english, foreign)


def _both(template: str, pair: str) -> tuple[str, str]:
    words = pair.split()
    one, other = " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])
    return template.format(one, other), template.format(other, one)
