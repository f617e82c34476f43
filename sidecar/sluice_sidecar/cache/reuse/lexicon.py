"""The words that the paraphrase veto knows. English: an ask in another language is never matched by meaning."""

from pathlib import Path


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _canonical(text: str) -> dict[str, str]:
    """Each line is one meaning: its first word stands for all of them."""
    lines = (line.split() for line in text.strip().splitlines())
    return {word: line[0] for line in lines for word in line}


def _numbered(text: str, *, start: int = 0, step: int = 1) -> dict[str, int]:
    return {word: step * value for value, word in enumerate(text.split(), start)}


NUMBERS = {
    **_numbered("zero one two three four five six seven eight nine ten eleven twelve"),
    **_numbered("thirteen fourteen fifteen sixteen seventeen eighteen nineteen", start=13),
    **_numbered("twenty thirty forty fifty sixty seventy eighty ninety", start=2, step=10),
    "dozen": 12,
    "couple": 2,
    "once": 1,
    "twice": 2,
    "thrice": 3,
    "double": 2,
    "triple": 3,
    "quadruple": 4,
    "single": 1,
    "pair": 2,
}
ORDINALS = _numbered("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth", start=1)
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12}
FRACTIONS = {"half": "1/2", "quarter": "1/4", "quarters": "1/4", "thirds": "1/3", "halves": "1/2"}
SUFFIXES = {"k": 1000, "mn": 10**6, "bn": 10**9}

UNITS = _canonical("""
km kilometer kilometers kilometre kilometres kms
mi mile miles
meter meters metre metres
cm centimeter centimeters centimetre centimetres
mm millimeter millimeters millimetre millimetres
foot feet ft
inch inches
yard yards
kg kilo kilos kilogram kilograms kilogramme
gram grams gramme
mg milligram milligrams
lb lbs pound-weight
ounce ounces oz
ton tons tonne tonnes
liter liters litre litres
ml milliliter milliliters millilitre
gallon gallons
cup cups
tablespoon tablespoons tbsp
teaspoon teaspoons tsp
celsius centigrade °c
fahrenheit °f
kelvin
% percent percentage per-cent pct
ms millisecond milliseconds
sec secs seconds
minute minutes min mins
hour hours hr hrs hourly
day days daily
week weeks weekly
month months monthly
year years yearly annual annually yr yrs
decade decades
century centuries
kb kilobyte kilobytes
mb megabyte megabytes
gb gigabyte gigabytes
tb terabyte terabytes
kbps
mbps
gbps
volt volts
amp amps ampere amperes
watt watts
kw kilowatt kilowatts
kwh
mph
kmh km/h kph
acre acres
hectare hectares
usd dollar dollars $ bucks us$
eur euro euros €
gbp pound pounds £ sterling quid
jpy yen ¥
inr rupee rupees ₹
chf franc francs
cny yuan renminbi rmb
btc bitcoin bitcoins
cent cents
cad
aud
degree degrees
radian radians
calorie calories kcal
joule joules
pixel pixels px
byte bytes
bit bits
""")

MONTHS = _canonical("""
january jan
february feb
march mar
april apr
may
june jun
july jul
august aug
september sept sep
october oct
november nov
december dec
""")
WEEKDAYS = _canonical("""
monday mondays mon
tuesday tuesdays tue tues
wednesday wednesdays wed
thursday thursdays thu thur thurs
friday fridays fri
saturday saturdays sat
sunday sundays sun
""")
CAPITAL_ONLY = _words("may march mar jan jun jul sep sept oct dec mon wed thu sat sun fri tue apr aug nov feb")
"""Months and weekdays that are common words in lower case."""

MOMENTS = _canonical("""
today todays tonight
tomorrow
yesterday
now currently right-now
morning mornings
noon midday
afternoon afternoons
evening evenings
night nights overnight
midnight
weekend weekends
weekday weekdays
spring
summer
autumn
winter
christmas xmas
easter
thanksgiving
""")

NEGATIONS = _words(
    "not no never none nobody nothing nowhere neither nor without cannot cant dont doesnt didnt wont isnt arent wasnt "
    "werent shouldnt wouldnt couldnt hasnt havent hadnt aint hardly barely scarcely unable except excluding unless "
    "lack lacks lacking avoid avoiding prevent preventing stop stops rather instead non minus fail fails failed "
    "failing refuse refuses refused"
)

OPPOSITES: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (_words(left), _words(right))
    for left, _, right in (
        line.partition("|")
        for line in Path(__file__).with_name("opposites.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
    )
)
"""Pairs of word groups of which only one can be meant."""

PERIODS = _words("day week month quarter year decade century")
TURNING = _words("turn turned turning switch switched switching power put set go")
SWITCHING = _words("on off up down")
SOLE = _words("only solely exclusively")

PARTICLES = {
    (verb, particle): name
    for verbs, particle, name in (
        ("turn turned turning switch switched switching power toggle", "on", "enable"),
        ("turn turned turning switch switched switching power toggle", "off", "disable"),
        ("log logged logging sign signed signing", "in", "login"),
        ("log logged logging sign signed signing", "into", "login"),
        ("log logged logging sign signed signing", "out", "logout"),
        ("log logged logging sign signed signing", "off", "logout"),
        ("check checked checking", "in", "checkin"),
        ("check checked checking", "out", "checkout"),
        ("opt opted opting", "in", "subscribe"),
        ("opt opted opting", "out", "unsubscribe"),
    )
    for verb in verbs.split()
}

ROLES = {
    "from": "from", "to": "to", "into": "to", "by": "by", "than": "than", "over": "over", "under": "under",
    "against": "against", "before": "before", "after": "after",
}  # fmt: skip
"""Prepositions that say which part a word plays."""

PLACES = _words("""
afghanistan albania algeria argentina armenia australia austria azerbaijan bangladesh belarus belgium bolivia bosnia
brazil britain bulgaria cambodia cameroon canada chile china colombia croatia cuba cyprus czechia denmark ecuador egypt
england estonia ethiopia finland france georgia germany ghana greece guatemala haiti honduras hungary iceland india
indonesia iran iraq ireland israel italy jamaica japan jordan kazakhstan kenya korea kuwait laos latvia lebanon libya
lithuania luxembourg malaysia mali malta mexico moldova mongolia morocco mozambique myanmar nepal netherlands nicaragua
nigeria norway oman pakistan panama paraguay peru philippines poland portugal qatar romania russia rwanda scotland
senegal serbia singapore slovakia slovenia somalia spain sudan sweden switzerland syria taiwan tanzania thailand tunisia
turkey uganda ukraine uruguay uzbekistan venezuela vietnam wales yemen zambia zimbabwe usa uk uae
amsterdam athens atlanta auckland austin baghdad bangalore bangkok barcelona beijing belgrade berlin bogota boston
brisbane brussels bucharest budapest cairo caracas casablanca chennai chicago copenhagen dallas damascus delhi denver
detroit dubai dublin edinburgh frankfurt geneva glasgow hamburg hanoi havana helsinki houston istanbul jakarta jerusalem
johannesburg karachi kathmandu kiev kyiv lagos lahore lima lisbon liverpool london lyon madrid manchester manila
marseille melbourne miami milan minsk montreal moscow mumbai munich nairobi naples osaka oslo oxford paris perth
philadelphia phoenix prague pune riga rome santiago seattle seoul shanghai shenzhen sofia stockholm stuttgart sydney
tallinn tehran tokyo toronto tunis vancouver venice vienna vilnius warsaw washington wellington zagreb zurich
africa asia europe america antarctica oceania california texas florida virginia ohio alaska hawaii
american arabic argentinian australian austrian belgian brazilian british bulgarian canadian chinese croatian czech
danish dutch egyptian english estonian finnish french german greek hebrew hindi hungarian indian indonesian irish
italian japanese korean latin latvian lithuanian malay mexican norwegian persian polish portuguese punjabi romanian
russian scottish serbian slovak spanish swedish swiss tamil telugu thai turkish ukrainian urdu vietnamese welsh
""")

THINGS = _words("""
python java javascript typescript rust golang kotlin swift ruby php perl scala haskell sql mysql postgres postgresql
sqlite mongodb redis kafka docker kubernetes linux windows macos ubuntu debian android ios iphone ipad excel word
powerpoint gmail outlook slack zoom teams whatsapp telegram facebook instagram twitter youtube netflix spotify amazon
google microsoft apple tesla toyota honda bmw visa mastercard paypal stripe json xml yaml csv html css pdf png jpeg
jpg gif http https ftp ssh tcp udp ipv4 ipv6 react angular vue django flask numpy pandas pytorch tensorflow git svn
mercury venus mars jupiter saturn uranus neptune pluto hydrogen helium oxygen nitrogen carbon iron copper silver gold
red blue green yellow orange purple black white pink brown grey gray
dog dogs cat cats horse horses cow cows chicken beef pork fish lamb tofu apple apples banana bananas
football basketball tennis baseball cricket hockey golf rugby
addition subtraction median mode average variance sine cosine tangent
""")

SYNONYMS = _canonical("""
change modify update edit alter amend changing modifying updating editing
remove erase delete removing erasing deleting
buy purchase
cost price charge fee costs
begin start
large big huge
small little tiny
quick fast rapid quickly rapidly
help assist
show display
get obtain receive getting
write compose writing
fix repair resolve solve
picture image photo
movie film
phone telephone mobile cellphone
car automobile
email e-mail mail
doctor physician
create build generate
explain describe
way method steps procedure
summarise summarize summary summarizing summarising summarization
shop store
holiday vacation
child kid kids children
problem issue trouble
reply respond response
password passcode
cancel terminate cancelling canceling cancellation
refund reimbursement
delivery shipping shipment
track trace
find locate
correct right
use utilise utilize
need require
happen occur
quantity amount
job occupation
colour color
recognise recognize
organise organize
reset resetting
install installing installation
""")

FILLERS = _words("""
please kindly hi hello hey thanks thank dear sir madam just really actually exactly basically simply so well okay ok
tell give let know like want wanted need would could can may might will shall should wondering wonder curious trying
try looking look ask asking question help me us i i'm im i'd i've you your we our my mine a an the this these those
is are was were be been being am do does did doing done have has had having to of in on at for with by from as about
into it its it's that there here and or if then than also too very much quite some any kind sort way ways possible
what what's whats where's who's when's why's how's that's which who whom whose when where why how possibly able
someone somebody one ones people person get
go going make sure go explain describe mean means called name
""")

HARMLESS = FILLERS - _words("my our your what which who whom whose when where why how some any much many very too if "
                            "one ones first on off up down from by with as for in at no") | _words("""
define quick list need compose provide come see start show write create offer hey hope
""")  # fmt: skip
"""Words that one ask has and its equal has not, or others in their place."""

TELLING = _words("""
yours he she they we who when where why all every each most none no few many both neither either several half
only even except but without including excluding also never always exactly least more less fewer better best worse worst
""")
"""Stems, or persons, that change what is asked by being there."""

PERSONS = _canonical("""
i me my mine myself i'm i've i'd i'll
we us our ours ourselves we're we've
he him his himself he's
she her hers herself she's
they them their theirs themselves they're they've
yours your yourself
""")
"""Whom a pronoun speaks of. "You" alone speaks of anyone."""

QUANTIFIERS = _canonical("""
all every each everything everyone everybody always whole entire
some several certain sometimes someone somebody something
most mostly usually majority
few rarely seldom hardly
many lots often plenty
none nothing nobody never neither no
both
either
half
exactly precisely
least
only solely just
""")
"""How many or how often: words of one meaning a line."""

SCOPES = _canonical("""
except excluding excluded besides apart exclude excludes
including included include includes
within inside
outside
unless
despite
""")
"""What is in and what is not."""

COMMON = _words("""
use work make need want know way time thing new good long day people place part kind type help find start keep put
take come see look happen different same main important common need long current available possible right number
name list example information detail account call check turn play set say us
""")
"""Stems of words of everyday's."""

STOPWORDS = {
    "en": _words(
        "the a an is are was were do does did i you he she we they it my your his her our their this that these those "
        "of in on at to for with from by and or but not what which who when where why how can could would should will "
        "please me there if as be been have has had about than into give tell write show explain list make get"
    ),
    "de": _words("der die das ein eine ist sind war ich du er wir ihr nicht und oder aber wie wer wann wo warum kann "
                 "mit für von auf zu den dem des mein meine bitte im am zum zur wird werden haben hat auch noch was"),
    "fr": _words("le la les un une des est sont était je tu il elle nous vous ils ne pas et ou mais comment quel "
                 "quelle qui quand où pourquoi avec pour dans sur mon ma mes du au aux que ce cette s'il plaît puis"),
    "es": _words("el la los las un una es son era yo tú él nosotros no y o pero cómo como qué que quién cuándo dónde "
                 "cuál cual por para con en mi mis su sus del al puedo está esta este hay favor"),
    "it": _words("il lo la gli le un una è sono era io tu lui noi non e o ma come che chi quando dove perché con per "
                 "di del della mio mia posso questo questa qual quale"),
    "pt": _words("o a os as um uma é são era eu tu ele nós não e ou mas como que quem quando onde por para com em "
                 "meu minha do da dos das posso está qual você"),
    "nl": _words("de het een is zijn was ik jij hij wij niet en of maar hoe wat wie wanneer waar waarom met voor van "
                 "op mijn kan deze dit naar ook"),
}  # fmt: skip

OPENERS = _words("and but or so then also plus yet because otherwise ok okay yes no yeah yep nope sure right thanks")
"""An ask that begins with one of these goes on from something said before."""

ANAPHORA = _words("it its this that these those they them their he him his she her here one ones such")
BACKWARDS = _words("above previous previously earlier again same instead else another former latter continue rephrase "
                   "shorten elaborate aforementioned")  # fmt: skip
