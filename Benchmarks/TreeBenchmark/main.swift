import Base
import Verity
import Linux

// Builds a hash tree over a file into another, as `veritysetup format DATA HASHES` does: tree-benchmark DATA HASHES.
// Prints the root hash. It is here so that tools/bench can compare tree building alone, without an image's contents.

struct Usage: Error {}
let arguments = CommandLine.arguments
guard arguments.count == 3 else {
  try StandardStream.error.write("usage: tree-benchmark DATA HASHES\n")
  throw Usage()
}
let data = try FileSource.open(arguments[1])
let salt = [UInt8](0..<32)
let parameters = try VerityParameters(dataBlockCount: data.byteCount / 4096, salt: salt)
let superblock = Superblock(parameters: parameters, uuid: try Superblock.derivedUUID(salt: salt))
let layout = try VerityLayout(superblock: superblock, placement: .separate, superblockOffset: 0)
var sink = FileSink(try OwnedFD.open(arguments[2], [.writeOnly, .create, .truncate]))
let rootHash = try layout.writeTree(of: data, to: &sink, threads: Processors.threads())
try StandardStream.output.write("\(rootHash.hex)\n")
