import Admission
import Base
import Image
import ImageFormat
import Loader

/// `load --all`: an image as a whole.
extension LoadCommand {
  func executeWhole(_ image: String) throws -> Int32 {
    let place = objects.place.location
    var request = try asked()
    // On record before the image is opened, which says what its objects are.
    let asked: [AdmissionRequest.Object] = [.image(path: image, object: "", at: place)]
    let listing: LoadAttempts = dryRun ? try .dryRun(asked, request) : try .begin(asked, request)
    Output.warn(of: listing.crashedRuns, replaced: replace ? pinPath : nil)
    request = try listing.recordingRefusal {
      try requireReplaceableLog()
      request = try completed(request)
      request.whole = try whole(image, at: place, request)
      return request
    }
    let entries = request.whole?.entries ?? []
    let named: [AdmissionRequest.Object] = entries.map { .image(path: image, object: $0.object, at: place) }
    let attempts: LoadAttempts = dryRun ? try .dryRun(named, request) : try .begin(named, request)
    try listing.listed(named.count)
    let admission = try Admission(request, attempts)
    defer { Output.warnings(admission.trustProblems) }
    let printing = OrderedPrinting()
    try admission.admitWhole { index, result in
      _ = printing.add(answer(result, label: LoadLabel(attempts.objects[index])), at: index)
    }
    return try printing.finish()
  }

  /// What the image says is to be loaded of it; without a list all objects, attached or not as the options say.
  private func whole(
    _ image: String, at place: ImageLocation, _ request: AdmissionRequest
  ) throws -> WholeImage {
    var whole = try WholeImage.list(image, at: place, request)
    guard !whole.hasList || !attach else {
      throw Self.refusal("--attach", expected: "the attachments of the image's load list", image)
    }
    if attach { for index in whole.entries.indices { whole.entries[index].attach = ["*"] } }
    guard interface == nil && cgroup == nil || whole.entries.contains(where: { $0.attach != nil }) else {
      throw Self.refusal(
        interface == nil ? "--cgroup" : "--interface", expected: "objects of the image that are attached", image)
    }
    return whole
  }

  private static func refusal(_ option: String, expected: String, _ image: String) -> DiagnosedFailure {
    DiagnosedFailure(
      Diagnostic(
        "load.all-options", .usage, "\(option) cannot be given for `\(image)` as a whole", expected: expected,
        found: option, next: "leave it out, or load the objects one by one (--object)"))
  }
}
