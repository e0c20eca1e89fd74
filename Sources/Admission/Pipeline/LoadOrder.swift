internal import Linux
internal import Synchronization

/// The order of the objects of a run, where it counts while several are worked on at the same time: in the records, and
/// in what one load finds that another has left.
final class LoadOrder: Sendable {
  /// A turn passes when what was decided about its object is on record.
  private let records = Turns()
  private let loads = Mutex(RunningLoads())

  /// The turn of one object; each is taken once, in the order of the objects.
  func turn(_ index: Int) -> ObjectTurn { ObjectTurn(self, record: records.turn(index)) }

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
struct ObjectTurn: ~Copyable {
  private let order: LoadOrder
  /// Nil when it has passed.
  private var record: Turn?
  private var isLoading = false

  fileprivate init(_ order: LoadOrder, record: consuming Turn) {
    self.order = order
    self.record = .some(record)
  }

  deinit { if isLoading { order.endLoad() } }

  /// Waits until what was decided about every object before this one is on record.
  mutating func waitForTurn() { record?.wait() }

  /// Lets the next object be recorded while this one is loaded, which it is until this value goes.
  ///
  /// - Parameter pinPath: where it is pinned. When an object before this one is pinned there too, this one waits until
  ///   it has found its end: what it shares with it or collides with is there, or is not, as if no other were beside.
  mutating func passToLoad(pinPath: String?) {
    guard let record = record.take() else { return }
    record.wait()
    order.beginLoad(pinPath: pinPath)
    isLoading = true
    record.pass()
  }
}
