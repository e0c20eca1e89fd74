import Glibc
import Linux

/// Runs `body` on a thread of its own, which leaves what the flags of unshare(2) name.
func onOwnThread(unsharing flags: CInt, _ body: @escaping () throws -> Void) throws {
  final class Box {
    let flags: CInt
    let body: () throws -> Void
    var failure: (any Error)?
    init(_ flags: CInt, _ body: @escaping () throws -> Void) {
      self.flags = flags
      self.body = body
    }
  }
  let box = Box(flags, body)
  var thread = pthread_t()
  let started = pthread_create(
    &thread, nil,
    { argument in
      guard let argument else { return nil }
      let box = Unmanaged<Box>.fromOpaque(argument).takeUnretainedValue()
      do {
        // unshare(2), which the Glibc module hides.
        typealias Unshare = @convention(c) (CInt) -> CInt
        guard let symbol = dlsym(nil, "unshare"), unsafeBitCast(symbol, to: Unshare.self)(box.flags) == 0 else {
          throw SystemError("unshare", errno: errno)
        }
        try box.body()
      } catch {
        box.failure = error
      }
      return nil
    }, Unmanaged.passUnretained(box).toOpaque())
  guard started == 0 else { throw SystemError("pthread_create", errno: started) }
  pthread_join(thread, nil)
  if let failure = box.failure { throw failure }
}
