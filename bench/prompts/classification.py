"""Prompts that put a text into one class of few."""

from bench.prompts.part import Part, Written, dead

TICKETS = Written(
    "classification-tickets",
    "Put the ticket into one class.",
    (
        Part("Classes", "billing, delivery, fault, account, other. Answer with one word.", 1.0),
        Part(
            "Faults",
            "Something that does not work is a fault even where money is named.",
            0.25,
            ("The app takes money twice when it crashes", "broken screen after a week, paid 300"),
        ),
        Part(
            "Threats",
            "A ticket that threatens with a lawyer is `account`, whatever it is about.",
            0.04,
            ("my lawyer will write to you", "I will sue you about the parcel"),
        ),
        Part(
            "Several",
            "Where two classes fit, take the one that is named first.",
            0.2,
            ("late parcel and wrong bill", "cannot log in and the invoice is missing"),
        ),
        dead(
            "Class phone",
            "The class phone was dropped in 2020. Tickets about phones go to fault. Until all tickets are "
            "moved, both are shown in the list, the old ones in grey, and count for the quarter of 2020.",
        ),
        dead(
            "Priorities",
            "Priorities are set by another desk. In the past P1 to P5 were given here, by a table of words; "
            "the table is kept for reference: urgent P1, soon P2, please P3, whenever P4, thanks P5.",
        ),
        dead(
            "Example letters",
            "A letter by post was scanned and its first line was the class. Scans are no longer made. If a "
            "scan number is seen, such as SC-2017-00412, it can be ignored without loss.",
        ),
        dead(
            "Motivation",
            "Classification is the heart of our service. Good classes make quick answers, quick answers make "
            "happy customers, and happy customers come back. Thank you for taking it as seriously as we do.",
        ),
        Part("Empty", "An empty or unreadable ticket is `other`.", 0.05, ("....", "asdf asdf")),
    ),
    ("my bill is too high", "where is my parcel", "password lost", "the screen is black", "just saying hello"),
)

MODERATION = Written(
    "classification-moderation",
    "Decide whether a comment may be shown. Answer ALLOW, HIDE or ASK.",
    (
        Part("Rule", "HIDE insults, threats and private data. ALLOW all else. ASK when in doubt.", 1.0),
        Part(
            "Quotes",
            "An insult that is quoted to criticise it is ALLOW.",
            0.1,
            ("He called me an idiot, how rude", '"you fool" is no way to talk'),
        ),
        Part(
            "Self-harm",
            "A comment about hurting oneself is ASK, and never HIDE.",
            0.03,
            ("I do not want to live any more", "thinking of hurting myself"),
        ),
        Part(
            "Numbers",
            "A phone number or an address of a private person is HIDE.",
            0.12,
            ("call her at 0151 2345678", "he lives at 12 Elm Street"),
        ),
        dead(
            "Guest book",
            "In the guest book signatures with a place are allowed. The guest book was closed in 2015. Its "
            "entries are shown read-only, and comments about them are comments like any other.",
        ),
        dead(
            "Smileys",
            "Old smileys made of characters, such as :-), are no insult. The list of smileys of the forum "
            "software was: smile, wink, cry, roll, mad, eek. The one called mad was shown in red.",
        ),
        dead(
            "Contest",
            "During the photo contest of June 2018 comments with a number between 1 and 10 are votes and are "
            "not shown. They are counted by the jury, which meets on the first Sunday of July.",
        ),
        Part("One word", "Answer with exactly one of the three words.", 0.5, twin="Form of the answer"),
        Part("Form of the answer", "Nothing but ALLOW, HIDE or ASK may be written.", twin="One word"),
        dead(
            "About fairness",
            "We want to be fair to all. Fairness means that equal comments are treated equally, whoever "
            "writes them. This has been our belief from the first day, and the readers thank us for it.",
        ),
    ),
    ("great article", "I do not agree at all", "first!", "see my blog", "what a match"),
)

INTENTS = Written(
    "classification-intents",
    "Name the intent of the sentence for a home assistant.",
    (
        Part("Intents", "light_on, light_off, music_play, music_stop, alarm_set, weather_ask, other.", 1.0),
        Part("Negation", "`Do not switch off` is other.", 0.06, ("do not switch off the lamp", "don't play anything")),
        Part(
            "Questions",
            "A question about the state of a lamp is other.",
            0.1,
            ("is the lamp on?", "did I leave the light on?"),
        ),
        Part(
            "Emergency", "A call for help is `other` and begins with SOS.", 0.03, ("help, I fell", "call an ambulance")
        ),
        dead(
            "Blinds",
            "The blinds of the first model were called shutters in the catalogue. The first model is no "
            "longer made, and its radio band is closed. Sentences about shutters were three a year.",
        ),
        dead(
            "Cassette",
            "Side A and side B are no rooms. The cassette deck adapter took `turn over` as a command; it was "
            "sold in 2016 only, in two countries, together with the green remote control.",
        ),
        dead(
            "Wake words",
            "Wake words are cut off before the sentence comes here. If one is left, such as `hey casa`, "
            "ignore it. The list of wake words is kept by the device team and changes with each release.",
        ),
        Part(
            "Synonyms",
            "Lamp, bulb, light and chandelier are the same.",
            0.2,
            ("switch the chandelier on", "kill the bulb in the hall"),
        ),
        dead(
            "Pride",
            "Casa was the home assistant of the year in 2019. Answer as the best would. The jury named its "
            "quick and exact understanding, and the calm voice that the design team had worked on for months.",
        ),
    ),
    ("lights on please", "play some jazz", "wake me at seven", "will it rain", "stop the music"),
)

PROMPTS = (TICKETS, MODERATION, INTENTS)
