from sluice_cli.demo.judge import judge, overlap, source
from sluice_cli.demo.replay import Outcome
from sluice_cli.demo.wire import Answer
from sluice_cli.demo.workload import Kind, Step, Task


def outcome(key: str, text: str, cache: str, *, task: Task = "support", kind: Kind = "first") -> Outcome:
    return Outcome(Step(key, task, f"{key}?", kind), Answer(text, 10, 0, 3), 0.1, cache, "small", 0.95)


def test_the_source_is_the_miss_with_the_same_answer() -> None:
    before = [outcome("norway", "Yes, we do.", "miss"), outcome("gift", "Ask us.", "miss")]
    found = source(outcome("iceland", "Yes, we do.", "paraphrase"), before)
    assert found is not None
    assert found.key == "norway"


def test_of_several_equal_answers_one_to_the_same_question_is_the_source() -> None:
    before = [outcome("late", "Delivery", "miss"), outcome("box", "Delivery", "miss")]
    found = source(outcome("late", "Delivery", "paraphrase"), before)
    assert found is not None
    assert found.key == "late"


def test_an_earlier_hit_is_no_source() -> None:
    assert source(outcome("late", "Yes.", "paraphrase"), [outcome("late", "Yes.", "identical")]) is None


def test_the_answer_to_another_question_is_wrong_however_good_it_sounds() -> None:
    verdict = judge(outcome("iceland", "Yes.", "paraphrase"), [outcome("norway", "Yes.", "miss")], "Yes.")
    assert verdict.grounds == ("intent",)


def test_an_answer_of_unknown_origin_is_wrong() -> None:
    assert judge(outcome("iceland", "Yes.", "paraphrase"), [], "Yes.").grounds == ("intent",)


def test_a_label_that_asking_again_does_not_give_is_wrong() -> None:
    before = [outcome("late", '{"label": "Delivery"}', "miss", task="classification")]
    hit = outcome("late", '{"label": "Delivery"}', "paraphrase", task="classification")
    assert judge(hit, before, '{"label":"Delivery"}').grounds == ()
    assert judge(hit, before, '{"label":"Billing"}').grounds == ("answer",)


def test_an_open_answer_in_other_words_is_not_wrong() -> None:
    verdict = judge(
        outcome("gift", "Yes, we do.", "paraphrase"), [outcome("gift", "Yes, we do.", "miss")], "Of course."
    )
    assert verdict.grounds == ()
    assert verdict.alike == 0.0


def test_overlap_is_the_f1_of_the_words() -> None:
    assert overlap("Yes, we do.", "we do, yes!") == 1.0
    assert overlap("a b", "a c") == 0.5
    assert overlap("", "") == 1.0
