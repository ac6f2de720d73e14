"""Time limits from one thread: each is acted upon once or cancelled, whatever the order they come in."""

import threading

from vezne.platform.timers import TimerThread

LONG = 3600.0
# How long a test waits for what must come; it ends as soon as it comes.
PATIENCE = 20.0


def watchers() -> int:
    return sum(thread.name == "timers" for thread in threading.enumerate())


def test_a_limit_that_is_over_is_acted_upon() -> None:
    over = threading.Event()
    TimerThread().schedule(0.01, over.set)
    assert over.wait(PATIENCE)


def test_a_shorter_limit_does_not_wait_for_a_longer_one_that_was_set_before() -> None:
    timer_thread, early, late = TimerThread(), threading.Event(), threading.Event()
    longer = timer_thread.schedule(LONG, late.set)
    timer_thread.schedule(0.01, early.set)
    assert early.wait(PATIENCE)
    assert not late.is_set()
    timer_thread.cancel(longer)


def test_a_limit_set_after_the_watch_has_nothing_left_is_acted_upon() -> None:
    timer_thread = TimerThread()
    for _ in range(5):
        over = threading.Event()
        timer_thread.schedule(0.005, over.set)
        assert over.wait(PATIENCE)


def test_a_lifted_limit_is_never_acted_upon() -> None:
    timer_thread, cancelled, later = TimerThread(), threading.Event(), threading.Event()
    timer_thread.cancel(timer_thread.schedule(0.05, cancelled.set))
    timer_thread.schedule(0.1, later.set)
    assert later.wait(PATIENCE)
    assert not cancelled.is_set()


def test_lifting_waits_for_an_action_that_has_begun() -> None:
    timer_thread, begun, may_end, steps = TimerThread(), threading.Event(), threading.Event(), list[str]()

    def act() -> None:
        begun.set()
        may_end.wait(PATIENCE)
        steps.append("acted")

    limit = timer_thread.schedule(0.0, act)
    assert begun.wait(PATIENCE)
    cancelling = threading.Thread(target=lambda: (timer_thread.cancel(limit), steps.append("cancelled")))
    cancelling.start()
    may_end.set()
    cancelling.join(PATIENCE)
    assert steps == ["acted", "cancelled"]


def test_a_thousand_limits_need_one_thread() -> None:
    before, timer_thread = watchers(), TimerThread()
    limits = [timer_thread.schedule(LONG, threading.Event().set) for _ in range(1000)]
    assert watchers() == before + 1
    for limit in limits:
        timer_thread.cancel(limit)


def test_limits_of_many_threads_are_all_acted_upon() -> None:
    timer_thread, counted, acted = TimerThread(), threading.Semaphore(0), list[int]()

    def act(number: int) -> None:
        acted.append(number)
        counted.release()

    def set_some(first: int) -> None:
        for number in range(first, first + 50):
            timer_thread.schedule(0.001 * (number % 7), lambda number=number: act(number))

    threads = [threading.Thread(target=set_some, args=(50 * place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    assert all(counted.acquire(timeout=PATIENCE) for _ in range(400))
    assert sorted(acted) == list(range(400))
