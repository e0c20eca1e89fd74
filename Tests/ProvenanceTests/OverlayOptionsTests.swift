import Linux
import Testing

@testable import Provenance

/// What an overlay's mount options and the names of its layers say.
@Suite struct OverlayOptionsTests {
  private func options(_ options: (String, String?)...) -> Result<OverlayOptions, OverlayRefusal> {
    Result { () throws(OverlayRefusal) in try OverlayOptions(options.map { Mount.Option($0.0, $0.1) }) }
  }

  private func layers(_ option: String, _ value: String) -> [String]? { try? options((option, value)).get().layers }

  @Test func layersInTheirOrder() throws {
    #expect(layers("lowerdir", "/a:/b:c/d") == ["/a", "/b", "c/d"])
    let several = try options(("ro", nil), ("lowerdir+", "/a"), ("lowerdir+", "/b"), ("uuid", "on")).get()
    #expect(several.layers == ["/a", "/b"])
    #expect(try options(("lowerdir", "/a"), ("redirect_dir", "on"), ("index", "on")).get().layers == ["/a"])
  }

  /// In `lowerdir` a backslash takes its meaning from what follows; in `lowerdir+` nothing stands for anything else.
  @Test func escapes() {
    #expect(layers("lowerdir", "/a\\:b:/c\\\\d:/e\\,f:/ü") == ["/a:b", "/c\\d", "/e,f", "/ü"])
    #expect(layers("lowerdir", "/a\\") == ["/a\\"])
    #expect(layers("lowerdir+", "/a\\:b:/c") == ["/a\\:b:/c"])
  }

  @Test func whatIsRefused() {
    #expect(options(("lowerdir", "/a"), ("upperdir", "/u"), ("workdir", "/w")) == .failure(.writable("/u")))
    #expect(options(("lowerdir", "/a::/data")) == .failure(.dataOnly("/data")))
    #expect(options(("lowerdir+", "/a"), ("datadir+", "/data")) == .failure(.dataOnly("/data")))
    #expect(options(("lowerdir", "/a"), ("x", "y")) == .failure(.unknown(option: "x")))
    #expect(options(("lowerdir", "/a"), ("metacopy", "some")) == .failure(.unknown(option: "metacopy")))
    for names in ["", ":/a", "/a:"] { #expect(options(("lowerdir", names)) == .failure(.unnamed)) }
    #expect(options(("ro", nil)) == .failure(.unnamed) && options(("lowerdir", nil)) == .failure(.unnamed))
  }

  @Test func whatChangesHowLayersAreRead() throws {
    let plain = try options(("lowerdir", "/a")).get()
    #expect(plain.takesMetadataApart == nil && !plain.usesUserAttributes)
    #expect(try options(("lowerdir", "/a"), ("metacopy", "on")).get().takesMetadataApart == true)
    #expect(try options(("lowerdir", "/a"), ("metacopy", "off")).get().takesMetadataApart == false)
    #expect(try options(("lowerdir", "/a"), ("userxattr", nil)).get().usesUserAttributes)
  }

  /// The first layer with anything under a path has the file, unless what it has stands for nothing.
  @Test func theFirstLayerWins() {
    let directory = LayerWalk.Component(kind: .directory)
    let file = LayerWalk.Component(kind: .regular)
    func answer(_ found: LayerWalk.Component...) -> LayerWalk.Answer { LayerWalk.answer(found, of: 3) }
    #expect(answer() == .absent && answer(directory, directory) == .absent)
    #expect(answer(directory, directory, file) == .file)
    // Something else in the way, or in its place.
    #expect(answer(directory, file) == .hidden && answer(directory, directory, directory) == .hidden)
    #expect(answer(.init(kind: .other)) == .hidden)
    #expect(answer(.init(kind: .other, isWhiteout: true)) == .hidden)
    #expect(answer(directory, directory, .init(kind: .regular, isWhiteout: true)) == .hidden)
    let opaque = LayerWalk.Component(kind: .directory, isOpaque: true)
    let renamed = LayerWalk.Component(kind: .directory, isRenamed: true)
    #expect(answer(opaque) == .hidden && answer(opaque, directory, file) == .file)
    #expect(answer(renamed) == .renamed && answer(renamed, directory, file) == .file)
  }

  @Test func namesOfMergedExtensions() throws {
    let layer = try #require(ExtensionLayer("/run/systemd/sysext/extensions/tools/usr"))
    #expect(layer.kind == .sysext && layer.name == "tools" && layer.directory == "usr")
    #expect(layer.images.last == "/var/lib/extensions/tools.raw" && layer.images.count == 3)
    let other = try #require(ExtensionLayer("/run/systemd/confext/extensions/a b/etc/x"))
    #expect(other.kind == .confext && other.name == "a b" && other.directory == "etc/x")
    #expect(other.images.first == "/run/confexts/a b.raw")
    for name in [
      "/run/systemd/sysext/extensions/tools", "/run/systemd/portable/extensions/x/usr", "/usr", "x",
      "/run/systemd/sysext/meta/usr", "/run/systemd/sysext/extensions/../usr",
    ] {
      #expect(ExtensionLayer(name) == nil, "\(name)")
    }
    for name in ["/run/systemd/sysext/meta/usr", "/run/systemd/confext/meta/etc"] {
      #expect(ExtensionLayer.isMeta(name))
    }
    #expect(!ExtensionLayer.isMeta("/run/systemd/sysext/extensions/meta/usr") && !ExtensionLayer.isMeta("/meta/usr"))
  }
}
