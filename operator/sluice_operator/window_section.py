"""A BatchWindow's spec as a section of Config. Checks stand elsewhere. Pure."""

from sluice_operator.hours import DAYS
from sluice_operator.kinds import BatchWindow
from sluice_operator.kinds.batch_window import BatchWindowSpec, Webhooks, Window
from sluice_sidecar import config


def week_of(spec: BatchWindowSpec) -> tuple[Window, ...]:
    """The windows that come back every week; `always` is one of 24 hours on every day."""
    always = (Window(days=DAYS, start="00:00", end="00:00"),) if spec.always else ()
    return (*(spec.windows or ()), *always)


def window_section(window: BatchWindow) -> config.BatchWindow:
    """The window's section. It has passed its checks."""
    spec = window.spec
    return config.BatchWindow(
        name=window.metadata.name,
        time_zone=spec.time_zone,
        windows=tuple(config.Window(days=given.days, start=given.start, end=given.end) for given in week_of(spec)),
        exceptions=tuple(
            config.ExceptionalDay(
                date=given.date,
                windows=tuple(config.DayWindow(start=one.start, end=one.end) for one in given.windows),
            )
            for given in spec.exceptions or ()
        ),
        routes=spec.routes,
        concurrency=spec.concurrency,
        deadline=spec.deadline,
        missed=spec.deadline_policy,
        webhooks=_webhooks(spec.webhooks) if spec.webhooks else None,
    )


def _webhooks(webhooks: Webhooks) -> config.Webhooks:
    key = webhooks.signing_key
    return config.Webhooks(signing_key=config.Credential(secret=key.secret, key=key.key), allow=webhooks.allow)
