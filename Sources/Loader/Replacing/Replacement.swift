internal import Base
internal import Linux

/// What became of the object whose place was taken.
public struct ReplacedObject: Equatable, Sendable {
  /// Maps that the new object goes on with, with all that is in them.
  public internal(set) var carriedMaps: [String] = []
  /// Maps that were created although one of their name was there.
  public internal(set) var freshMaps: [String] = []
  /// Programs whose link stayed and holds the new program.
  public internal(set) var movedLinks: [String] = []
  /// Programs whose new link was made before the old one went: an event in between is seen by both.
  public internal(set) var doubledLinks: [String] = []
  /// Links of the old object that nothing of the new one has taken over.
  public internal(set) var endedLinks: [String] = []
  /// Old pins that could not be removed, each with the reason; they are below ``remainingPath``.
  public internal(set) var remaining: [String] = []
  /// Where what remains of the old object is.
  public internal(set) var remainingPath: String?
  /// What killed runs had left beside it that were to replace it too, by the directories of their pins: it was removed first.
  public internal(set) var collected: [String] = []
}

/// The steps of a replacement, each of which can fail and is undone then.
enum ReplacementStep: CaseIterable {
  case maps, programs, pins, links, move, exchange
}

/// The last steps of a load that takes another's place: links are given the new programs, then the directories of pins are
/// exchanged. Until it is kept it can be given back.
struct Replacement: ~Copyable {
  /// Where the old object is pinned; nil where only links of objects are taken over that go.
  let directory: String?
  /// Where the new one is pinned meanwhile; beside the other, since it gets its name.
  let staging: String?
  let moves: [LinkMove]
  private let fault: LoadOptions.Fault?
  private var moved = 0
  private var isExchanged = false

  init(directory: String?, moves: [LinkMove], fault: LoadOptions.Fault?) {
    self.directory = directory
    staging = directory.map { InterruptedReplacement.staging(of: $0) }
    self.moves = moves
    self.fault = fault
  }

  deinit {
    if isExchanged { Self.exchangeBack(staging, directory) }
    for move in moves[..<moved].reversed() { Self.undo(move) }
  }

  /// Gives the links the new programs and the pins their place; on failure everything is as it was.
  mutating func takePlace() throws(BPFLoadError) {
    do throws(BPFLoadError) {
      for move in moves {
        do throws(SystemError) {
          try BPF.update(move.link.object, to: move.new, replacing: move.old)
        } catch {
          throw .linkNotMoved(program: move.program, place: move.place, error: error)
        }
        moved += 1
        try fault?(.move)
      }
      guard let staging, let directory else { return }
      do throws(SystemError) {
        try Directory.exchange(staging, with: directory)
      } catch {
        throw .exchangeRefused(path: directory, error: error)
      }
      isExchanged = true
      try fault?(.exchange)
    } catch {
      giveBack()
      throw error
    }
  }

  /// Puts the old object back.
  mutating func giveBack() {
    if isExchanged {
      Self.exchangeBack(staging, directory)
      isExchanged = false
    }
    for move in moves[..<moved].reversed() { Self.undo(move) }
    moved = 0
  }

  private static func exchangeBack(_ staging: String?, _ directory: String?) {
    guard let staging, let directory else { return }
    _ = try? Directory.exchange(staging, with: directory)
  }

  /// The old program is alive, and on its place a moment ago.
  private static func undo(_ move: LinkMove) { try? BPF.update(move.link.object, to: move.old, replacing: move.new) }

  /// The new object stays, and the pins of the old one go.
  ///
  /// - Returns: what could not be removed.
  mutating func keep() -> [String] {
    if directory == nil { moved = 0 }
    guard isExchanged, let staging else { return [] }
    isExchanged = false
    moved = 0
    do throws(UnloadError) {
      return try Unloading.unload(pinPath: staging).remaining
    } catch {
      return ["\(staging): \(error.diagnostic.message)"]
    }
  }
}
