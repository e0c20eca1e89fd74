"""Tests of what is made of a tool's calls. Run by `make test`: python3 -m unittest discover -s tools/proof"""
from __future__ import annotations

import unittest

import taken
import tries

CALLS = """tool\tsnoop -p 1
map\tevents\t27\t0\t262144\t0
map\tstacks\t7\t1016\t1024\t0
map\tsnoop.rodata\t2\t12\t1\t0
program\tdet_arg_ctx\t4\t0\t\t0
constants\t01000000ff00000000000000
program\ttracepoint__sys\t11\t0\t\t0
program\tdummy_fentry\t12\t77\text4\t0
program\tprobe\t13\t0\t\t22
attaches
tool\tother
said\tno such thing"""


class Names(taken.KernelTypes):
    def __init__(self):
        super().__init__("")
        self.names = {"ext4": {77: "ext4_file_open"}, "": {5: "sched_switch"}}


class Taken(unittest.TestCase):
    def setUp(self):
        self.load, self.other = taken.read(CALLS.split("\n"))
        # Without the tools that read a file.
        self.object = taken.Object.__new__(taken.Object)
        self.object.types = {
            4: {"kind": "INT", "name": "int", "size": 4, "encoding": "SIGNED"}, 5: {"kind": "ARRAY", "type_id": 6, "nr_elems": 4},
            6: {"kind": "INT", "name": "u16", "size": 2, "encoding": "(none)"},
            7: {"kind": "STRUCT", "name": "filter", "size": 4, "members": [
                {"name": "low", "type_id": 6, "bits_offset": 0}, {"name": "high", "type_id": 6, "bits_offset": 16}]},
            11: {"kind": "FUNC", "name": "tracepoint__syscalls"}, 12: {"kind": "FUNC", "name": "dummy_fentry"},
            13: {"kind": "FUNC", "name": "probe"},
            21: {"kind": "VAR", "name": "pid", "type_id": 4, "linkage": "global"},
            22: {"kind": "VAR", "name": "ports", "type_id": 5, "linkage": "global"},
            23: {"kind": "DATASEC", "name": ".rodata", "vars": [{"type_id": 21}, {"type_id": 22}]},
        }
        self.object.places = {"pid": 0, "ports": 4}
        self.object.constants = bytes(12)
        self.object.described = {
            "programs": [
                {"name": "tracepoint__syscalls", "optional": False, "section": "tp/syscalls/x", "attach_target": None},
                {"name": "dummy_fentry", "optional": True, "section": "fentry/dummy", "attach_target": "dummy"},
                {"name": "probe", "optional": False, "section": "kprobe/x", "attach_target": None},
            ],
            "maps": [{"name": "stacks", "type": "stack_trace", "max_entries": 0},
                     {"name": "events", "type": "ringbuf", "max_entries": 262144}],
        }

    def test_what_a_tool_asked_for(self):
        self.assertEqual(self.load.command, "snoop -p 1")
        self.assertTrue(self.load.attaches)
        self.assertEqual(self.load.refused, ("probe", 22))
        self.assertEqual((self.other.programs, self.other.said), ([], "no such thing"))

    def test_the_options_that_load_the_same(self):
        self.assertEqual(self.object.options(self.load, Names()), [
            "--program=tracepoint__syscalls", "--program=dummy_fentry", "--section-type=fentry/dummy=fentry/ext4_file_open",
            "--map-entries=stacks=1024", "--set=pid=1", "--set=ports=[255]"])

    def test_programs_that_libbpf_tries_are_left_out(self):
        self.assertEqual(list(self.object.programs(self.load)), ["tracepoint__syscalls", "dummy_fentry"])

    def test_members_are_set_by_themselves(self):
        self.object.types[22]["type_id"] = 7
        self.assertEqual(self.object.differences("filter", 7, bytes([0, 0, 5, 0]), 0), [("filter.high", "5")])


class Tries(unittest.TestCase):
    def test_answers_of_several_objects(self):
        found = tries.read([
            "run\t5\ta b", '{"request":{"object":"/objects/b.o"},"error":{"code":"load.map","message":"no"}}',
            "run\t0\tc", '{"programs":[{"name":"f"}]}'])
        self.assertFalse(found["a"].loads)
        self.assertEqual((found["b"].code, found["b"].status), ("load.map", 5))
        self.assertTrue(found["c"].loads)


if __name__ == "__main__":
    unittest.main()
