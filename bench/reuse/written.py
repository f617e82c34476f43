"""Streams of our own: asks for code, and turns of conversations, with repeats and near misses as in real traffic.

What is wanted is drawn by popularity, its wording as well, so that a popular ask comes again word for word. The key is
what is wanted; the conversation's earlier turns are the scope, as they are part of the fingerprint.
"""

import random
from collections.abc import Callable

from bench.reuse.asks import Stream, embedded
from bench.reuse.replay import Served, Way

ASKS = 6000

_LANGUAGES = ("Python", "JavaScript", "Java", "Rust", "Go", "SQL", "Kotlin", "C++")
_TASKS = (
    "sorts a list of numbers in ascending order", "sorts a list of numbers in descending order",
    "sorts a list of names by length", "sorts a list of names by last letter", "reverses a string", "reverses a list",
    "reverses the words of a sentence", "checks whether a number is prime", "checks whether a number is even",
    "checks whether a number is odd", "lists all primes below 100", "lists all primes below 1000",
    "removes duplicates from a list", "finds duplicates in a list", "counts duplicates in a list",
    "counts the words in a file", "counts the lines in a file", "counts the vowels in a string",
    "counts the consonants in a string", "reads a CSV file", "writes a CSV file", "reads a JSON file",
    "writes a JSON file",
    "converts JSON to CSV", "converts CSV to JSON", "converts XML to JSON", "converts JSON to XML",
    "converts Celsius to Fahrenheit", "converts Fahrenheit to Celsius", "converts a decimal number to binary",
    "converts a binary number to decimal", "finds the largest element of a list",
    "finds the smallest element of a list",
    "finds the second largest element of a list", "finds the median of a list", "finds the mean of a list",
    "computes the factorial of n", "computes the nth Fibonacci number",
    "computes the greatest common divisor of two numbers",
    "computes the least common multiple of two numbers", "merges two sorted lists", "merges two dictionaries",
    "splits a list into chunks of 3", "splits a list into chunks of 10", "retries an HTTP request 3 times",
    "retries an HTTP request 5 times", "sends a GET request", "sends a POST request",
    "sends an email with an attachment",
    "sends an email without an attachment", "validates an email address", "validates a phone number",
    "encrypts a string with AES", "decrypts a string with AES", "encodes a string as base64", "decodes a base64 string",
    "adds an element to a linked list", "removes an element from a linked list", "searches a binary tree depth first",
    "searches a binary tree breadth first", "compresses a folder", "decompresses a folder",
    "copies files from one folder to another", "moves files from one folder to another",
    "deletes files older than 7 days",
    "deletes files older than 30 days", "deletes files newer than 7 days", "locks a file", "unlocks a file",
    "connects to a MySQL database", "connects to a Postgres database", "disconnects from a Postgres database",
    "parses a date in ISO format", "formats a date in ISO format", "computes the days between two dates",
    "computes the hours between two dates", "generates a random password of 8 characters",
    "generates a random password of 16 characters", "rate limits calls to 10 per second",
    "rate limits calls to 10 per minute",
    "caches results for one hour", "caches results for one day", "flattens a nested list", "transposes a matrix",
    "multiplies two matrices", "adds two matrices", "rotates a matrix left", "rotates a matrix right",
)  # fmt: skip
_LIMITS = ("", "", "", "", " without recursion", " without loops", " with type hints", " and add unit tests",
           " using only the standard library", " in one line")  # fmt: skip
_CODE_WORDINGS = (
    "Write a {} function that {}{}.", "write a {} function that {}{}", "Can you write a {} function that {}{}?",
    "Give me a {} function that {}{}.", "I need a {} function that {}{}", "Please write a function in {} that {}{}",
    "How do I write a {} function that {}{}?", "{} function that {}{}", "Show me {} code that {}{}",
    "Create a {} function which {}{}.", "Implement a {} function that {}{}.",
    "Could you give me a {} function that {}{}?",
)  # fmt: skip

_OPENINGS = {
    "order status": ("Where is my order?", "where is my order", "Can you tell me where my order is?",
    "I want to know where my order is"),
    "return": ("How do I return an item?", "How can I return an item?", "how to return an item",
    "I want to return an item, how?"),
    "exchange": ("How do I exchange an item?", "How can I exchange an item?", "how to exchange an item",
    "I want to exchange an item, how?"),
    "refund time": ("How long does a refund take?", "how long does a refund take", "How long will a refund take?",
    "How many days does a refund take?"),
    "delivery time": ("How long does delivery take?", "how long does shipping take", "How long will delivery take?",
    "How many days does delivery take?"),
    "delivery cost": ("How much does delivery cost?", "What does delivery cost?", "what is the price of shipping",
    "How much is shipping?"),
    "cancel order": ("How do I cancel my order?", "How can I cancel my order?", "cancel my order please",
    "I want to cancel my order"),
    "change order": ("How do I change my order?", "How can I change my order?", "change my order please",
    "I want to change my order"),
    "open account": ("How do I open an account?", "How can I open an account?", "how to open an account",
    "I'd like to open an account"),
    "close account": ("How do I close my account?", "How can I close my account?", "how to close my account",
    "I'd like to close my account"),
    "card declined": ("Why was my card declined?", "why was my card declined", "My card was declined, why?",
    "Can you tell me why my card was declined?"),
    "card charged": ("Why was my card charged twice?", "why was my card charged twice",
    "My card was charged twice, why?", "Can you tell me why my card was charged twice?"),
    "hours weekday": ("What are your opening hours on Monday?", "When do you open on Monday?", "opening hours monday",
    "What time do you open on Monday?"),
    "hours sunday": ("What are your opening hours on Sunday?", "When do you open on Sunday?", "opening hours sunday",
    "What time do you open on Sunday?"),
    "ship canada": ("Do you ship to Canada?", "do you ship to canada", "Can you ship to Canada?",
    "Is shipping to Canada possible?"),
    "ship mexico": ("Do you ship to Mexico?", "do you ship to mexico", "Can you ship to Mexico?",
    "Is shipping to Mexico possible?"),
    "warranty phone": ("How long is the warranty on phones?", "what warranty do phones have",
    "Do phones come with a warranty?", "phone warranty period"),
    "warranty laptop": ("How long is the warranty on laptops?", "what warranty do laptops have",
    "Do laptops come with a warranty?", "laptop warranty period"),
    "voucher": ("How do I redeem a voucher?", "How can I redeem a voucher?", "where do I enter my voucher code",
    "how to redeem a voucher"),
    "buy voucher": ("How do I buy a voucher?", "How can I buy a voucher?", "where do I get a gift voucher",
    "how to buy a voucher"),
    "reset": ("How do I reset my password?", "How can I reset my password?", "how to reset my password",
    "I forgot my password"),
    "change email": ("How do I change my email address?", "How can I change my email address?",
    "how to change my email", "I want to update my email address"),
    "change address": ("How do I change my delivery address?", "How can I change my delivery address?",
    "how to change my address", "I want to update my delivery address"),
    "invoice": ("Where can I find my invoice?", "where is my invoice", "How do I download my invoice?",
    "Can you send me my invoice?"),
}  # fmt: skip
_FOLLOWING = {
    "how long": ("How long does that take?", "how long will it take?", "And how long does it take?"),
    "cost": ("What does that cost?", "how much is that?", "Is there a fee for that?"),
    "abroad": ("Does that also hold for orders from abroad?", "what if I live abroad?", "And from abroad?"),
    "human": ("Can I talk to a human please?", "I want to speak to an agent", "Please connect me to a person"),
    "where": ("Where do I find that in the app?", "where in the app is that?", "Where do I click for that in the app?"),
    "business": ("Is it the same for business customers?", "what about business customers?", "And for companies?"),
    "thanks": ("Thanks, that is all I need", "thank you, that helped me", "Great, thank you very much"),
    "again": ("Can you explain that once more?", "I did not understand that, explain again",
    "Say that again in simple words"),
}  # fmt: skip
_ORDERS = tuple(f" (order {number})" for number in range(41200, 42200, 7))


def _popular(chance: random.Random, count: int, exponent: float = 0.8) -> int:
    """A place drawn by Zipf's law."""
    weights = [1.0 / (place + 1) ** exponent for place in range(count)]
    return chance.choices(range(count), weights)[0]


def _code(chance: random.Random) -> tuple[str, str, str]:
    task, language = _TASKS[_popular(chance, len(_TASKS))], _LANGUAGES[_popular(chance, len(_LANGUAGES), 1.6)]
    limit = _LIMITS[_popular(chance, len(_LIMITS), 1.0)]
    wording = _CODE_WORDINGS[_popular(chance, len(_CODE_WORDINGS), 0.9)]
    return wording.format(language, task, limit), f"{language}/{task}{limit}", ""


def _turn(chance: random.Random) -> tuple[str, str, str]:
    """A first turn, or a later one behind the turns that went before; some asks are about an order of one's own."""
    names = tuple(_OPENINGS)
    about = names[_popular(chance, len(names), 0.6)]
    said = _OPENINGS[about][_popular(chance, 4, 1.0)]
    if chance.random() < 0.5:
        said += _ORDERS[int(chance.random() * len(_ORDERS))]
        about += said[said.index(" (order") :]
    scope = ""
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        kinds = tuple(_FOLLOWING)
        scope, kind = f"{scope}/{said}", kinds[_popular(chance, len(kinds), 0.5)]
        said, about = _FOLLOWING[kind][_popular(chance, 3, 0.8)], f"{about}/{kind}"
    return said, about, scope


_MADE: dict[str, Callable[[random.Random], tuple[str, str, str]]] = {"code": _code, "conversation": _turn}


def written(name: str, seed: int = 0) -> Stream:
    """One of the streams, `code` or `conversation`: ASKS asks, some of them more than once."""
    chance = random.Random(seed)
    texts, keys, scopes = zip(*(_MADE[name](chance) for _ in range(ASKS)), strict=True)
    unique = list(dict.fromkeys(texts))
    rows = {text: row for row, text in enumerate(unique)}
    return Stream(name, texts, keys, embedded(unique)[[rows[text] for text in texts]], scopes)


def apart(way: Way) -> Way:
    """The same way behind reuse of identical asks: only what was not asked before, word for word, comes to it.

    A repeat is a hit of the identical strategy, and marked so.
    """

    def run(stream: Stream, seed: int) -> list[Served]:
        seen: set[tuple[str, str]] = set()
        fresh = []
        for at, ask in enumerate(zip(stream.scopes or stream.texts, stream.texts, strict=True)):
            if ask not in seen:
                fresh.append(at)
            seen.add(ask)
        inner = dict(zip(fresh, way(stream.at(fresh), seed), strict=True))
        return [inner.get(at) or Served(True, False, key, repeat=True) for at, key in enumerate(stream.keys)]

    return run
