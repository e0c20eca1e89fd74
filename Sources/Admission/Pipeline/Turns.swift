internal import Linux
internal import Synchronization

/// The order of the objects of a run, where it counts while several are worked on at the same time: in the records, and
/// in what one load finds that another has left.
///
/// Objects are begun in their order; a thread that waits therefore waits for one that is being worked on.
final class Turns: Sendable {
  // Raised when the record of the object of that index is written. Only the next object waits for it.
  private let recorded: [Semaphore]
  private let loads = Mutex(RunningLoads())

  init(count: Int) { recorded = (0..<count).map { _ in Semaphore() } }

  /// The turn of one object; each is taken once.
  func turn(_ index: Int) -> Turn { Turn(self, index) }

  fileprivate func awaitRecord(before index: Int) {
    if index > 0, index <= recorded.count { recorded[index - 1].wait() }
  }

  fileprivate func noteRecord(of index: Int) {
    if recorded.indices.contains(index) { recorded[index].signal() }
  }

  fileprivate func beginLoad(pinPath: String?) {
    let pause = loads.withLock { $0.begin(pinPath: pinPath) }
    guard let pause else { return }
    pause.wait()
    // Nobody else begins meanwhile: those behind have not been passed the turn.
    loads.withLock { $0.count += 1 }
  }

  fileprivate func endLoad() { loads.withLock { $0.end() } }
}

/// The loads of a run that have begun and not ended.
struct RunningLoads {
  var count = 0
  private var pinPaths: Set<String> = []
  private var waiting: [Semaphore] = []

  /// Counts one more; or returns what it has to wait for before it counts, because another is pinned where it is.
  mutating func begin(pinPath: String?) -> Semaphore? {
    let isFirst = pinPath.map { pinPaths.insert($0).inserted } ?? true
    guard isFirst || count == 0 else {
      let pause = Semaphore()
      waiting.append(pause)
      return pause
    }
    count += 1
    return nil
  }

  /// One has ended; after the last, who waited goes on.
  mutating func end() {
    count -= 1
    guard count == 0 else { return }
    for pause in waiting { pause.signal() }
    waiting = []
  }
}

/// One object's place in the order. Whatever comes of the object, those behind it get their turn when this value goes.
struct Turn: ~Copyable {
  private let turns: Turns
  private let index: Int
  private var hasCome = false
  private var isPassed = false
  private var isLoading = false

  fileprivate init(_ turns: Turns, _ index: Int) {
    self.turns = turns
    self.index = index
  }

  deinit {
    if !hasCome { turns.awaitRecord(before: index) }
    if !isPassed { turns.noteRecord(of: index) }
    if isLoading { turns.endLoad() }
  }

  /// Waits until what was decided about every object before this one is on record.
  mutating func come() {
    guard !hasCome else { return }
    turns.awaitRecord(before: index)
    hasCome = true
  }

  /// Lets the next object be recorded while this one is loaded, which it is until this value goes.
  ///
  /// - Parameter pinPath: where it is pinned. When an object before this one is pinned there too, this one waits until
  ///   it has found its end: what it shares with it or collides with is there, or is not, as if no other were beside.
  mutating func passToLoad(pinPath: String?) {
    come()
    guard !isPassed else { return }
    turns.beginLoad(pinPath: pinPath)
    isLoading = true
    turns.noteRecord(of: index)
    isPassed = true
  }
}
