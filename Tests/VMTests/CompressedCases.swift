import Base
import Linux
import Provenance

/// Volumes whose EROFS is compressed, as the roots of image-based systems are: the kernel and we read the same bytes.
enum CompressedCases {
  /// The images, and what of the format each uses.
  private static let images = ["zstd", "zstd-fragments", "lz4", "lzma", "deflate"]

  static let suite = Suite(
    name: "compressed",
    cases: images.map { name in
      Case("\(name)-is-loaded-by-descriptor") {
        let image = "compressed-\(name)"
        guard (try? Machine.text("/images/\(image).roothash")) != nil else {
          throw Skipped(reason: "no newer mkfs.erofs could be fetched to make the image")
        }
        let volume = try VerityVolume(image, name: image)
        let path: String
        do {
          path = "\(try volume.mount())/xdp_counter.bpf.o"
        } catch {
          throw Skipped(reason: "this kernel does not mount it: \(error)")
        }
        try WitnessCases.expectBothVouch(for: path, on: volume)
        // The whole way, by a rule that both witnesses are needed for.
        let directory = try Machine.temporaryDirectory()
        let rule = "op=BPF_PROG_LOAD dmverity_roothash=sha256:\(volume.rootHash) x_witness=BOTH action=ALLOW"
        try Machine.write(
          "\(directory)/p.pol", Array("policy_name=c policy_version=1.0.0\nDEFAULT action=DENY\n\(rule)\n".utf8))
        let result = try Command.run(
          "load", "--fd", "3", "--policy", "\(directory)/p.pol", "--audit-dir", directory, object: path)
        try Command.expectStatus(0, result)
      }
    })
}
