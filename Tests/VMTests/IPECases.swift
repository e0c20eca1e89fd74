import KernelABI
import Linux
import TestSupport

/// The kernel's own integrity policy beside ours.
enum IPECases {
  static let suite = Suite(
    name: "ipe",
    cases: [
      Case("executes-from-signed-volumes-only", on: .secureBoot) {
        try IPE.require()
        defer { IPE.relax() }
        let signed = try VerityVolume("prog", name: "signed", signature: "prog.roothash.p7s")
        let unsigned = try VerityVolume("prog-evil", name: "unsigned")
        let (good, evil) = ("\(try signed.mount())/prog", "\(try unsigned.mount())/prog")
        try expectEqual(try Subprocess.run([evil]).status, 66, "the evil program before the policy")
        try IPE.enforce("signed-only")
        try expectEqual(try Subprocess.run([good]).status, 0, "the signed volume's program")
        try expectErrno("EACCES", "the unsigned volume's program") { _ = try Subprocess.run([evil]) }
      },
      // The kernel's IPE takes evil bytes for signed ones; we look at the bytes themselves.
      Case("is-fooled-by-poisoned-pages-and-we-are-not", on: .secureBoot) {
        try IPE.require()
        defer { IPE.relax() }
        let volume = try VerityVolume("prog", name: "fooled", signature: "prog.roothash.p7s")
        let program = "\(try volume.mount())/prog"
        try IPE.enforce("signed-only")
        try expectEqual(try Subprocess.run([program]).status, 0, "the program before the attack")

        let evil = try LoopDevices.attachReadOnly(OwnedFD.open("/images/prog-evil.raw", .readOnly))
        defer { try? LoopDevices.detach(evil) }
        try volume.load(loop: evil, rootHash: Machine.text("/images/prog-evil.roothash").trimmed)
        try volume.resume()
        try Machine.dropCaches()
        try expectErrno("EACCES", "the program under the unsigned table") { _ = try Subprocess.run([program]) }
        _ = try Machine.read(program)
        try volume.load(loop: volume.loop, signature: "prog.roothash.p7s")
        try volume.resume()

        try expectEqual(try Subprocess.run([program]).status, 66, "what IPE lets run as signed")
        try WitnessCases.expectRefusal("provenance.page-cache", "the poisoned program") {
          _ = try WitnessCases.examine(program)
        }
        try Machine.dropCaches()
        try expectEqual(try Subprocess.run([program]).status, 0, "the program without the pages")
        _ = try WitnessCases.examine(program)
      },
      // Asked about the descriptor that `load` is given. Older kernels answer without asking IPE.
      Case("says-whether-an-object-may-be-executed", on: .secureBoot) {
        try IPE.require()
        defer { IPE.relax() }
        let signed = try VerityVolume("executable", name: "executable", signature: "executable.roothash.p7s")
        let unsigned = try VerityVolume("executable", name: "not-signed")
        let other = try VerityVolume("demo", name: "not-executable", signature: "demo.roothash.p7s")
        let directory = try Machine.temporaryDirectory()
        let volumes = [signed, unsigned, other]
        let objects = try volumes.map { "\(try $0.mount())/xdp_counter.bpf.o" }
        let hashes = volumes.map { "op=BPF_PROG_LOAD dmverity_roothash=sha256:\($0.rootHash)" }
        func decide(_ object: Int, _ rules: String) throws -> Int {
          let text = "policy_name=x policy_version=1.0.0\nDEFAULT action=DENY\n\(rules)\n"
          try Machine.write("\(directory)/x.pol", Array(text.utf8))
          let result = try Command.run(
            "load", "--fd", "3", "--policy", "\(directory)/x.pol", "--audit-dir", directory, object: objects[object])
          return result.status
        }
        let isAsked = KernelReports.runningRelease().map { $0 >= KernelRelease(7, 2) } ?? false
        try IPE.enforce("signed-only")
        let allows = try (0..<3).map { try decide($0, "\(hashes[$0]) x_kernel_execute=TRUE action=ALLOW") }
        try expectEqual(allows, [isAsked ? 0 : 2, 2, 2], "what IPE allows")
        // What is not known stands in the way too.
        let denies = try (0..<3).map {
          try decide($0, "op=BPF_PROG_LOAD x_kernel_execute=FALSE action=DENY\n\(hashes[$0]) action=ALLOW")
        }
        try expectEqual(denies, [isAsked ? 0 : 2, 2, 2], "what IPE denies")
        try expectEqual(try decide(0, "\(hashes[0]) action=ALLOW"), 0, "the control")
        IPE.relax()
        let relaxed = try decide(0, "\(hashes[0]) x_kernel_execute=TRUE action=ALLOW")
        try expectEqual(relaxed, 2, "IPE that does not enforce its policy")
      },
      // The command may run from a signed volume only, and loads a program from another. Comes last: what a version
      // outranks cannot be put into force again.
      Case("command-runs-from-its-volume-only", on: .secureBoot) {
        try IPE.require()
        defer { IPE.relax() }
        let tool = try VerityVolume("tool", name: "tool", signature: "tool.roothash.p7s")
        let place = try tool.mount()
        let programs = try VerityVolume("demo", name: "programs", signature: Machine.signature)
        let object = try OwnedFD.open("\(programs.mount())/xdp_counter.bpf.o", .readOnly)
        let directory = try Machine.temporaryDirectory()
        try Machine.write("\(directory)/p.pol", Array(SignedImageCases.policy(programs.rootHash).utf8))
        try IPE.enforce("volume-only")
        try expectErrno("EACCES", "the command outside its volume") {
          _ = try Subprocess.run(["/usr/bin/verity-bpf", "--version"])
        }
        // The volume's own loader and libraries: those of the initramfs may not be mapped either.
        let result = try Command.handingOver(object, as: 100) {
          try Subprocess.run(
            ["\(place)/ld-linux-x86-64.so.2", "--library-path", place, "\(place)/verity-bpf"]
              + ["load", "--fd", "100", "--policy", "\(directory)/p.pol", "--audit-dir", directory])
        }
        try Command.expectStatus(0, result)
        // The volume goes only when nothing on it is open.
        _ = consume object
        withExtendedLifetime(programs) {}
      },
    ])
}
