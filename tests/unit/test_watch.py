"""Time limits from one thread: each is acted upon once or lifted, whatever the order they come in."""

import threading

from vezne.platform.timers import Watch

LONG = 3600.0
# How long a test waits for what must come; it ends as soon as it comes.
PATIENCE = 20.0


def watchers() -> int:
    return sum(thread.name == "watch" for thread in threading.enumerate())


def test_a_limit_that_is_over_is_acted_upon() -> None:
    over = threading.Event()
    Watch().set(0.01, over.set)
    assert over.wait(PATIENCE)


def test_a_shorter_limit_does_not_wait_for_a_longer_one_that_was_set_before() -> None:
    watch, early, late = Watch(), threading.Event(), threading.Event()
    longer = watch.set(LONG, late.set)
    watch.set(0.01, early.set)
    assert early.wait(PATIENCE)
    assert not late.is_set()
    watch.lift(longer)


def test_a_limit_set_after_the_watch_has_nothing_left_is_acted_upon() -> None:
    watch = Watch()
    for _ in range(5):
        over = threading.Event()
        watch.set(0.005, over.set)
        assert over.wait(PATIENCE)


def test_a_lifted_limit_is_never_acted_upon() -> None:
    watch, lifted, later = Watch(), threading.Event(), threading.Event()
    watch.lift(watch.set(0.05, lifted.set))
    watch.set(0.1, later.set)
    assert later.wait(PATIENCE)
    assert not lifted.is_set()


def test_lifting_waits_for_an_action_that_has_begun() -> None:
    watch, begun, may_end, steps = Watch(), threading.Event(), threading.Event(), list[str]()

    def act() -> None:
        begun.set()
        may_end.wait(PATIENCE)
        steps.append("acted")

    limit = watch.set(0.0, act)
    assert begun.wait(PATIENCE)
    lifting = threading.Thread(target=lambda: (watch.lift(limit), steps.append("lifted")))
    lifting.start()
    may_end.set()
    lifting.join(PATIENCE)
    assert steps == ["acted", "lifted"]


def test_a_thousand_limits_need_one_thread() -> None:
    before, watch = watchers(), Watch()
    limits = [watch.set(LONG, threading.Event().set) for _ in range(1000)]
    assert watchers() == before + 1
    for limit in limits:
        watch.lift(limit)


def test_limits_of_many_threads_are_all_acted_upon() -> None:
    watch, counted, acted = Watch(), threading.Semaphore(0), list[int]()

    def act(number: int) -> None:
        acted.append(number)
        counted.release()

    def set_some(first: int) -> None:
        for number in range(first, first + 50):
            watch.set(0.001 * (number % 7), lambda number=number: act(number))

    threads = [threading.Thread(target=set_some, args=(50 * place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    assert all(counted.acquire(timeout=PATIENCE) for _ in range(400))
    assert sorted(acted) == list(range(400))
