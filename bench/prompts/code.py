"""Prompts for code."""

from bench.prompts.part import Part, Written, dead

PYTHON = Written(
    "code-python",
    "You write Python functions for a data team.",
    (
        Part("Form", "Answer with one code block and nothing else.", 1.0),
        Part(
            "Types",
            "Give type annotations for parameters and the result.",
            0.5,
            ("function that adds two columns", "write a parser for the price list"),
        ),
        Part(
            "Money",
            "Use decimal.Decimal for money, never float.",
            0.12,
            ("sum the invoice amounts", "compute the discount in euros"),
        ),
        Part(
            "Time zones",
            "Datetimes are aware and in UTC.",
            0.1,
            ("function that returns tomorrow's date", "difference between two timestamps"),
        ),
        Part(
            "Secrets",
            "Never print or log a password or a token.",
            0.03,
            ("log the login request with its headers", "print the connection settings"),
        ),
        dead(
            "Python 2",
            "Code has to run under Python 2.7 as well: use the future imports, and six for text. Python 2 is "
            "on the cluster until it is replaced in the autumn. Do not use f-strings, which Python 2 does not"
            " have.",
        ),
        dead(
            "Tabs",
            "Files of the legacy branch are indented with tabs. The legacy branch is frozen, and no new file "
            "goes there. To see whether a file belongs to it, look for the header of the old build system.",
        ),
        dead(
            "Mainframe",
            "Record lengths of the mainframe export are 80 and 132. Fields are padded with blanks. The export"
            " was switched off in 2022; its description is kept for the archive, shelf 4.",
        ),
        Part("Docstring", "Begin the function with a docstring of one line.", 0.4, twin="Comments"),
        Part("Comments", "Say in one docstring line what the function does.", twin="Docstring"),
        dead(
            "Team",
            "The data team has nine members and meets on Mondays. Each member reviews each other's code. The "
            "team likes short functions, tea, and the mountains, and shares a kitchen with the sales team.",
        ),
    ),
    ("function to reverse a list", "read a csv file", "count words in a text", "merge two dicts"),
)

SQL = Written(
    "code-sql",
    "You turn questions into SQL for PostgreSQL. Tables: orders(id, customer_id, at, total), "
    "customers(id, name, country).",
    (
        Part(
            "Read only",
            "Write SELECT statements only; refuse everything that changes data.",
            0.15,
            ("delete the orders of last year", "set all totals to zero"),
        ),
        Part(
            "Limit",
            "Add LIMIT 1000 where the question does not name a number.",
            0.6,
            ("all orders of Spain", "list customers"),
        ),
        Part(
            "Months",
            "A month is a half-open interval of timestamps, never to_char.",
            0.15,
            ("orders in May", "total of March 2025"),
        ),
        Part("Nulls", "Customers without country count as `unknown`.", 0.04, ("customers by country, all of them",)),
        dead(
            "Oracle",
            "Under Oracle use ROWNUM. The Oracle database was moved to PostgreSQL in 2021. Its sequences had "
            "the prefix SQ_, its views V_, and its night job ended at four, when the reports were printed.",
        ),
        dead(
            "Old names",
            "orders was called auftrag and customers kunde. The names were changed with the move. Nobody asks"
            " by the old names any more, as the reports were changed too; keep this list for a year.",
        ),
        dead(
            "Reports",
            "Reports for the board are made on paper. Their head is set in Garamond and their tables have no "
            "lines. The board reads them on the first Monday, after the minutes of the last meeting.",
        ),
        Part("Form", "Answer with the statement alone, ending with a semicolon.", 1.0),
        dead(
            "Courage",
            "Complex questions are welcome. Do not be afraid of joins. A good query is like a good sentence: "
            "nothing can be left out. Think of the reader, and of the one who comes after you.",
        ),
    ),
    ("how many orders are there", "largest order", "number of customers", "orders per customer"),
)

REVIEW = Written(
    "code-review",
    "You review changes of code. Answer with at most five findings, one a line.",
    (
        Part("Order", "Put errors first, then risks, then style; each line begins with ERROR, RISK or STYLE.", 1.0),
        Part(
            "Tests", "A change without a test is a RISK.", 0.3, ("+ def total(): ...", "changed the parser, no tests")
        ),
        Part(
            "SQL",
            "Text put together into SQL is an ERROR.",
            0.08,
            ("+ cur.execute('... ' + name)", "f-string in query"),
        ),
        Part(
            "Licence",
            "Code copied from elsewhere without its licence is an ERROR.",
            0.03,
            ("+ # copied from a blog", "taken from another project"),
        ),
        dead(
            "Subversion",
            "Keywords such as $Id$ must not be changed by hand. The repository was moved from Subversion in "
            "2014; keywords are no longer expanded. A change that touches one needs the old build master.",
        ),
        dead(
            "Line length",
            "Lines of more than 72 characters cannot be printed by the line printer in room 3. The printer is"
            " switched on for audits. Ask the secretary for paper with holes, and for the ribbon.",
        ),
        dead(
            "Names of people",
            "Reviews are signed with initials. Initials are given by the office in the first week. Those of "
            "former members are not used again for five years, and are listed in the hall.",
        ),
        Part(
            "Nothing", "Where nothing is wrong, answer OK.", 0.25, ("fixed a typo in a comment", "renamed a variable")
        ),
        Part("Politeness", "Criticise code, not people.", 0.2, twin="Kindness"),
        Part("Kindness", "Be kind: speak of the code and never of its author.", twin="Politeness"),
        dead(
            "Values",
            "Our values are care, courage and calm. They hang in every room. Care is about details, courage "
            "about saying no, calm about Fridays. New members get a poster, which they may hang at home.",
        ),
    ),
    ("+ x = 1", "+ import os", "- unused()", "+ return a + b"),
)

PROMPTS = (PYTHON, SQL, REVIEW)
