"""Tests of the comparison, with logs written by hand. Run by `make test`: python3 -m unittest discover -s tools/proof"""
from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
import unittest

import records
import report
import verdict
import verifierlog
from records import Record
from verdict import Claim

CAREFUL = Claim(restricted=False, reads_none=False, loads=frozenset(verdict.MODES))
CARELESS = Claim(restricted=False, reads_none=True, loads=frozenset(verdict.MODES))

TYPES = {"task_struct", "file", "sock", "cgroup"}

FOLLOWED = """0: R1=ctx() R10=fp0
; struct task_struct *p = (void *)ctx[0]; *(u64 *)(r7 +0) @ some.bpf.c:7
0: (79) r6 = *(u64 *)(r1 +0)          ; R1=ctx() R6=trusted_ptr_task_struct()
1: (bf) r2 = r6                       ; R2=trusted_ptr_task_struct() R6=trusted_ptr_task_struct()
2: (61) r3 = *(u32 *)(r2 +1268)       ; R2=trusted_ptr_task_struct() R3=scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))
3: (95) exit
processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""


class Logs(unittest.TestCase):
    def accesses(self, log: str) -> list[str]:
        reading = verifierlog.read(log)
        self.assertEqual(reading.unclear, [])
        return [f"{one.index} {one.state}" for one in reading.kernel_accesses(TYPES)]

    def test_a_load_through_a_kernel_type(self):
        self.assertEqual(self.accesses(FOLLOWED), ["2 trusted_ptr_task_struct"])
        self.assertTrue(verifierlog.read(FOLLOWED).is_whole)

    def test_the_state_is_that_before_the_instruction(self):
        log = """0: R1=ctx() R2=trusted_ptr_sock() R10=fp0
0: (79) r2 = *(u64 *)(r2 +8)          ; R2=scalar()
1: (61) r1 = *(u32 *)(r1 +0)          ; R1=untrusted_ptr_sock()
"""
        self.assertEqual(self.accesses(log), ["0 trusted_ptr_sock"])

    def test_the_state_may_follow_on_a_line_of_its_own(self):
        log = """0: R1=ctx() R10=fp0
0: (79) r1 = *(u64 *)(r1 +0)
SCC enter (1)
1: R1=ptr_file()
1: (61) r0 = *(u32 *)(r1 +4)
"""
        self.assertEqual(self.accesses(log), ["1 ptr_file"])

    def test_every_form_of_access(self):
        forms = {
            "61": "r1 = *(u32 *)(r9 +4)", "91": "r1 = *(s8 *)(r9 -1)", "7b": "*(u64 *)(r9 +8) = r1", "72": "*(u8 *)(r9 +0) = 1",
            "c3": "lock *(u32 *)(r9 +0) += r1", "db": "r1 = atomic64_fetch_or((u64 *)(r9 +0), r1)",
            "d3": "r0 = atomic64_cmpxchg((u64 *)(r9 +0), r0, r1)", "cb": "r1 = load_acquire((u64 *)(r9 +0))",
            "e3": "store_release((u64 *)(r9 +0), r1)",
        }
        for opcode, text in forms.items():
            with self.subTest(text):
                self.assertEqual(self.accesses(f"0: R1=ctx() R9=rcu_ptr_or_null_cgroup(id=3)\n0: ({opcode}) {text}\n"),
                                 ["0 rcu_ptr_or_null_cgroup"])

    def test_what_reaches_the_kernel(self):
        reaching = {
            "ptr_sk_buff": "type", "untrusted_ptr_sock": "type", "trusted_ptr_or_null_file": "type", "percpu_ptr_rq": "type",
            "rcu_ptr_task_struct": "type", "rdonly_untrusted_mem": "untrusted memory", "rdonly_mem": "read-only memory",
            "rdonly_mem_or_null": "read-only memory", "map_ptr": "map",
        }
        for state, expected in reaching.items():
            self.assertEqual(verifierlog.Kind.of(state).reaches, expected, state)
        for state in ("ctx", "fp-8", "scalar", "map_value", "map_value_or_null", "pkt", "pkt_meta", "flow_keys", "sock", "sock_common",
                      "tcp_sock", "xdp_sock", "tp_buffer", "mem", "ringbuf_mem", "rdonly_buf", "arena", "user_ptr_sockaddr", "7",
                      "map_key", "func"):
            self.assertIsNone(verifierlog.Kind.of(state).reaches, state)

    def test_states_of_older_kernels(self):
        log = """0: R1=ctx(off=0,imm=0) R10=fp0
0: (79) r6 = *(u64 *)(r1 +0)          ; R1=ctx(off=0,imm=0) R6_w=ptr_task_struct(off=0,imm=0)
1: (61) r3 = *(u32 *)(r6 +4)          ; R3_w=scalar(umax=4294967295,var_off=(0x0; 0xffffffff)) R6_rw=ptr_task_struct(off=0,imm=0)
"""
        self.assertEqual(self.accesses(log), ["1 ptr_task_struct"])

    def test_a_path_begins_with_all_registers(self):
        log = """0: R1=ctx() R10=fp0
0: (79) r1 = *(u64 *)(r1 +0)          ; R1=ptr_file()
1: (15) if r2 == 0x0 goto pc+3        ; R2=0
2: (61) r0 = *(u32 *)(r1 +0)          ; R0=scalar() R1=ptr_file()

from 1 to 5: R1=map_value(map=m,ks=4,vs=8) R10=fp0 fp-8=mmmmmmmm
5: (61) r0 = *(u32 *)(r1 +0)          ; R0=scalar()

from 1 to 9: safe
processed 5 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""
        self.assertEqual(self.accesses(log), ["2 ptr_file"])
        self.assertTrue(verifierlog.read(log).is_whole)

    def test_functions_have_registers_of_their_own(self):
        log = """0: R6=ptr_file() R1=map_value(map=m,ks=4,vs=8) R10=fp0
0: (85) call pc+3
caller:
 R6=ptr_file() R10=fp0
callee:
 frame1: R1=map_value(map=m,ks=4,vs=8) R10=fp0
4: (61) r0 = *(u32 *)(r1 +0)          ; frame1: R0=scalar() R1=map_value(map=m,ks=4,vs=8)
5: (bf) r6 = r1                       ; frame1: R1=map_value(map=m,ks=4,vs=8) R6=map_value(map=m,ks=4,vs=8)
6: (95) exit
returning from callee:
 frame1: R0=scalar() R1=map_value(map=m,ks=4,vs=8) R6=map_value(map=m,ks=4,vs=8) R10=fp0
to caller at 1:
 R0=scalar() R6=ptr_file() R10=fp0
1: (61) r0 = *(u32 *)(r6 +0)          ; R0=scalar() R6=ptr_file()
"""
        self.assertEqual(self.accesses(log), ["1 ptr_file"])

    def test_a_global_function_begins_anew(self):
        log = """0: R1=ptr_file() R10=fp0
Validating f() func#1...
7: R1=mem(sz=4) R10=fp0
7: (61) r0 = *(u32 *)(r1 +0)          ; R0=scalar()
8: (61) r0 = *(u32 *)(r2 +0)          ; R0=scalar()
"""
        reading = verifierlog.read(log)
        self.assertEqual(reading.kernel_accesses(TYPES), [])
        self.assertEqual(reading.unclear, ["8: r0 = *(u32 *)(r2 +0)"])

    def test_copies_are_compared_with_zero_together(self):
        log = """0: R0=map_value_or_null(id=2,map=outer,ks=4,vs=4) R6=map_value_or_null(id=2,map=outer,ks=4,vs=4) R10=fp0
0: (15) if r0 == 0x0 goto pc+2        ; R0=map_ptr(map=inner,ks=4,vs=4)
1: (61) r1 = *(u32 *)(r6 +0)          ; R1=scalar()
"""
        self.assertEqual(self.accesses(log), ["1 map_ptr"])

    def test_what_stands_before_the_first_state(self):
        log = """Live regs before insn:
      0: .1........ (61) r6 = *(u32 *)(r1 +0)
      1: 0......... (95) exit
subprog#0 f:
 99: (61) r6 = *(u32 *)(r1 +0)
100: (61) r6 = *(u32 *)(r1 +0) // r7=fp0-32|fp0+0
0: R1=ctx() R10=fp0
0: (95) exit
processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
"""
        self.assertTrue(verifierlog.read(log).is_whole)

    def test_memory_of_its_own_that_it_may_only_read(self):
        log = """0: R1=fp-8 R10=fp0
0: (85) call {function}#77438        ; R0=rdonly_mem{suffix}(id=1,sz=4)
1: (61) r1 = *(u32 *)(r0 +0)          ; R0=rdonly_mem(sz=4) R1=scalar()
"""
        apart = log.replace("      ; R0", "\n1: R0")
        for function in verifierlog.OWN_MEMORY:
            self.assertEqual(self.accesses(apart.format(function=function, suffix="_or_null")), [])
            self.assertEqual(self.accesses(log.format(function=function, suffix="_or_null")), [])
        self.assertEqual(len(self.accesses(log.format(function="bpf_per_cpu_ptr", suffix=""))), 1)
        iterator = """0: R1=fp-8 R10=fp0
0: (85) call bpf_iter_num_next#77438        ; R0=0
1: (95) exit

from 0 to 1: R0=rdonly_mem(id=2,sz=4) R10=fp0
1: (61) r1 = *(u32 *)(r0 +0)          ; R0=rdonly_mem(id=2,sz=4) R1=scalar()
"""
        self.assertEqual(self.accesses(iterator), [])
        self.assertEqual(len(self.accesses(iterator.replace("bpf_iter_num_next", "bpf_iter_other_next"))), 1)
        variable = "1: (18) r2 = 0xffffffff82a58000      ; R2=rdonly_mem(sz=4)\n"
        self.assertEqual(len(self.accesses(log.format(function="bpf_iter_num_next", suffix="") + variable)), 1)

    def test_objects_of_its_own_types(self):
        log = """0: R0=ptr_node(ref_obj_id=2) R6=rcu_ptr_sock() R7=ptr_(anon)() R10=fp0
0: (7a) *(u64 *)(r0 +0) = 1           ; R0=ptr_node(ref_obj_id=2)
1: (7a) *(u64 *)(r6 +0) = 1           ; R6=rcu_ptr_sock()
2: (7a) *(u64 *)(r7 +0) = 1           ; R7=ptr_(anon)()
"""
        self.assertEqual(self.accesses(log), ["1 rcu_ptr_sock", "2 ptr_"])

    def test_a_log_that_is_not_whole(self):
        self.assertFalse(verifierlog.read(FOLLOWED.replace("processed 4", "processed 5")).is_whole)
        self.assertFalse(verifierlog.read(FOLLOWED[:FOLLOWED.index("processed")]).is_whole)


class Verdicts(unittest.TestCase):
    def record(self, result: str, text: str = "") -> Record:
        with tempfile.NamedTemporaryFile("w", delete=False) as file:
            file.write(text)
        self.addCleanup(os.unlink, file.name)
        return Record("o", "p", "xdp", result, 0, 1, (file.name, 0, len(text)))

    def test_an_access_and_what_is_claimed(self):
        log = self.record("loaded", FOLLOWED)
        self.assertEqual(verdict.judge([log], CAREFUL, TYPES).verdict, verdict.SAID)
        found = verdict.judge([log], CARELESS, TYPES)
        self.assertEqual(found.verdict, verdict.OFF)
        self.assertEqual(found.evidence, ("2: r3 = *(u32 *)(r2 +1268), r2=trusted_ptr_task_struct",))
        restricted = Claim(restricted=True, reads_none=False, loads=frozenset())
        self.assertEqual(verdict.judge([log], restricted, TYPES).verdict, verdict.OFF)

    def test_no_access(self):
        log = self.record("loaded", FOLLOWED.replace("trusted_ptr_task_struct", "map_value"))
        self.assertEqual(verdict.judge([log], CARELESS, TYPES).verdict, verdict.NONE_SEEN)
        self.assertEqual(verdict.judge([log], CAREFUL, TYPES).verdict, verdict.CAUTIOUS)

    def test_what_could_not_be_compared(self):
        for records_of_it in ([self.record("loaded-large")], [self.record("timeout")],
                              [self.record("loaded", FOLLOWED.replace("processed 4", "processed 9"))]):
            found = verdict.judge(records_of_it, CARELESS, TYPES)
            self.assertIsNone(found.verdict)
            self.assertTrue(found.reason)

    def test_lockdown(self):
        loads = self.record("loaded")
        refused = self.record("refused", "program of this type cannot use helper bpf_probe_read_kernel#113\nprocessed 0 insns \n")
        forbidden = Claim(restricted=False, reads_none=False, loads=frozenset(["integrity"]))
        for locked, claim, expected in [
            (loads, CAREFUL, verdict.ALLOWED), (refused, forbidden, verdict.FORBIDDEN), (loads, forbidden, verdict.STRICT),
            (refused, CAREFUL, verdict.LOCKDOWN_OFF), (self.record("timeout"), CAREFUL, None), (None, CAREFUL, None), (self.record("unprepared", "no map"), CAREFUL, None),
        ]:
            self.assertEqual(verdict.judge_lockdown(locked, "confidentiality", claim).verdict, expected)
        explained = self.record("refused", "cannot use helper\n\nVerification failed: Policy\n\nSuggestion:\n  Use another.\n")
        self.assertEqual(explained.reason, "cannot use helper")
        self.assertEqual(refused.reason, "program of this type cannot use helper bpf_probe_read_kernel#113")


class Records(unittest.TestCase):
    def read(self, content: bytes) -> list[Record]:
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(content)
        self.addCleanup(os.unlink, file.name)
        return list(records.read(file.name))

    def test_records_on_a_disk(self):
        one, two = self.read(b"program\to\tp\txdp\tloaded\t0\t3\t5\n0: (9\nprogram\to\tq\txdp\ttimeout\t0\t0\t0\n\nend\n" + b"\0" * 512)
        self.assertEqual((one.program, one.loads, one.milliseconds, one.text), ("p", True, 3, "0: (9"))
        self.assertTrue(two.was_cut_short)

    def test_what_has_no_end_is_refused(self):
        for content in (b"", b"\0" * 512, b"program\to\tp\txdp\tloaded\t0\t3\t9\n0: (95)\n",
                        b"program\to\tp\txdp\tloaded\t0\t3\t2\nab\n"):
            with self.assertRaises(records.Incomplete):
                self.read(content)


class Pages(unittest.TestCase):
    """A run over two objects: `a/one`, whose program follows a kernel pointer, and `selftests/two`, which loads under no lockdown
    mode that is said to forbid it.
    """

    def work(self, reads: str = "undeclared", loads: bool = False, log: str = FOLLOWED) -> str:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)

        def write(name: str, content: str) -> None:
            path = os.path.join(directory.name, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)

        def record(name: str, result: str, text: str = "") -> str:
            return f"program\t{name}\tp\txdp\t{result}\t0\t1\t{len(text)}\n{text}\n"

        def claim(reads: str, loads: bool) -> str:
            modes = {mode: {"loads": loads} for mode in verdict.MODES}
            return json.dumps({"programs": [{"name": "p", "class": "full", "read_scope": reads, "lockdown": modes}]})

        for name, content in {
            "names": "a/one\nselftests/two\n", "version": "7.3.4", "kernel": "7.3.4", "compiler": "clang 21", "host.kernel": "6.18.1",
            "types": "\n".join(TYPES), "host.types": "", "failed": "three\tno such type\n",
        }.items():
            write(name, content)
        write("claims/a/one.json", claim(reads, True))
        write("claims/selftests/two.json", claim("none", loads))
        plain = FOLLOWED.replace("trusted_ptr_task_struct", "map_value")
        write("host.records", record("a/one", "loaded", log) + "end\n")
        write("none.records", record("a/one", "loaded", log) + record("selftests/two", "loaded", plain) + "end\n")
        for mode in verdict.MODES:
            write(f"{mode}.records", record("a/one", "loaded") + record("selftests/two", "refused", "no") + "end\n")
        return directory.name

    def page(self, work: str) -> tuple[int, str, str]:
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            status = report.main(["report.py", work])
        return status, out.getvalue(), errors.getvalue()

    def test_where_all_agree(self):
        status, text, errors = self.page(self.work())
        self.assertEqual((status, errors), (0, ""))
        for row in ["| loaded and judged | 2 |", "| not compared | 0 (0.0%) |", "| **off** | 0 |",
                    f"| {verdict.SAID} | 1 |", f"| {verdict.FORBIDDEN} | 1 | 1 |", "| three | no such type |"]:
            self.assertIn(row, text)

    def test_an_access_that_is_off(self):
        status, text, errors = self.page(self.work(reads="none"))
        self.assertEqual(status, 1)
        self.assertIn("| **off** | 1 |", text)
        self.assertIn("off: a/one | p | reads NONE | 2: r3 = *(u32 *)(r2 +1268)", errors)

    def test_a_lockdown_mode_that_is_off(self):
        status, text, errors = self.page(self.work(loads=True))
        self.assertEqual(status, 1)
        self.assertIn("off: selftests/two | p | loads under lockdown=integrity | no", errors)

    def test_too_little_compared(self):
        status, text, errors = self.page(self.work(log="0: R1=ctx()\n"))
        self.assertEqual(status, 1)
        self.assertIn("| not compared | 1 (50.0%) |", text)
        self.assertIn("could not be compared", errors)

    def test_a_machine_that_did_not_come_to_its_end(self):
        work = self.work()
        with open(os.path.join(work, "integrity.records"), "w", encoding="utf-8") as file:
            file.write("")
        status, _, errors = self.page(work)
        self.assertEqual(status, 1)
        self.assertIn("integrity.records", errors)


if __name__ == "__main__":
    unittest.main()
