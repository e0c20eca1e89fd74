public import BPFObject
internal import KernelABI
public import LinkProtocol

/// What a linking helper says of an object.
public enum HelperAnswer: Equatable, Sendable {
  case edits(LinkAnswer)
  case refused(BPFObjectError)
  case outside(LinkFeature)

  /// Reads an object for a loader: its relocations and types, and what the analysis makes of them.
  public init(_ object: RawSpan) {
    do throws(EditReading.Failure) {
      let reading = try EditReading(object)
      var answer = reading.answer
      for (place, report) in zip(reading.programs, BPFObject.reports(of: reading.object)) {
        answer.programs.append(ProgramClaim(report, at: place))
      }
      self = .edits(answer)
    } catch {
      switch error {
      case .object(let error): self = .refused(error)
      case .outside(let feature): self = .outside(feature)
      }
    }
  }

  /// The head that announces it.
  public func head(sequence: UInt64, release: String) -> LinkAnswer.Head {
    switch self {
    case .edits(let answer): answer.head(sequence: sequence, release: release)
    case .refused(let error):
      LinkAnswer.Head(sequence: sequence, release: release, verdict: .refused(check: error.check.number))
    case .outside(let feature):
      LinkAnswer.Head(sequence: sequence, release: release, verdict: .outside(feature))
    }
  }

  /// What follows the head.
  public var body: [UInt8] {
    switch self {
    case .edits(let answer): answer.body
    case .refused, .outside: []
    }
  }
}

extension BPFObjectError.Check {
  /// The check's number in answers, which are of one release.
  public var number: UInt32 { UInt32(Self.allCases.firstIndex(of: self) ?? 0) }

  /// The check with that number; nil when there is none.
  public init?(number: UInt32) {
    let all = Self.allCases
    guard all.indices.contains(Int(number)) else { return nil }
    self = all[Int(number)]
  }
}

extension ProgramClaim {
  init(_ report: ProgramReport, at place: ObjectLayout.Place) {
    let reads: Reads =
      switch report.readScope {
      case .none: .none
      case .declared: .declared
      case .undeclared: .undeclared
      }
    let lockdown: UInt8 =
      switch report.strictestLockdown {
      case .none: 0
      case .integrity: 1
      case .confidentiality: 2
      }
    self.init(
      section: UInt32(truncatingIfNeeded: place.section), start: UInt32(truncatingIfNeeded: place.offset),
      isRestricted: report.isRestricted, reads: reads, lockdown: lockdown)
  }
}
