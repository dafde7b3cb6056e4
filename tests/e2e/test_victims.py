"""The victims bite: each harms a shim that makes the obvious mistakes, or is harmed by it.

A hazard's test proves nothing if it passes without the defence. The careless shim has none of them;
here each victim must notice. What ours does with the same victims is in test_survival.py and
test_contexts.py.
"""

import signal

import harness
from harness import Case, truths_of, victim

DEADLOCK, WRONG_MASK, VICTIM_COMPLAINS = 70, 71, 99


class CarelessShim(Case):
    def careless(self, name, *arguments):
        return self.execute(victim(name), self.work, *arguments,
                            env={"LD_PRELOAD": victim("libcareless_shim.so")})

    def test_a_handler_meets_the_lock_of_its_own_thread(self):
        # The handler has to come while the lock is held: most runs, not every one.
        for _ in range(20):
            if self.careless("handler_umask").returncode == DEADLOCK:
                return
            harness.remove_tree(self.work)
            self.work.mkdir()
        self.fail("the handler never met the lock")

    def test_a_forked_child_meets_the_lock_of_a_thread_it_does_not_have(self):
        self.assertEqual(self.careless("fork_storm").returncode, VICTIM_COMPLAINS)

    def test_a_vfork_child_poisons_a_mask_cached_for_the_process(self):
        self.assertEqual(self.careless("vfork_umask").returncode, VICTIM_COMPLAINS)

    def test_an_unshared_thread_poisons_it(self):
        self.assertEqual(self.careless("unshare_thread").returncode, WRONG_MASK)

    def test_cancellation_ends_the_program_in_a_noexcept_wrapper(self):
        self.assertEqual(self.careless("cancel_open_fifo").returncode, -signal.SIGABRT)

    def test_a_path_that_the_kernel_would_refuse_is_looked_at(self):
        self.assertEqual(self.careless("bad_paths").returncode, -signal.SIGSEGV)

    def test_a_lock_around_umask_does_not_mend_a_racy_program(self):
        result = self.careless("threads_umask", 20000)
        self.assertEqual(result.returncode, 0)
        wrong = sum(truth.get("final") == "0666" for truth in truths_of(result))
        self.assertGreater(wrong, 0)


if __name__ == "__main__":
    harness.main()
