import NIOCore
import StreamMux
import Testing

@testable import RaftTransport

@Suite("The configuration of a transport")
struct TransportConfigurationTests {
  private func configuration(
    _ change: (inout TransportConfiguration) -> Void = { _ in }
  ) -> TransportConfiguration {
    var configuration = TransportConfiguration(serverID: "a", clusterID: "c")
    change(&configuration)
    return configuration
  }

  @Test("The windows reach the engine, which promises the initial one in HELLO")
  func windows() throws {
    let changed = configuration {
      $0.windows = .init(
        initial: 100_000, largestForAppends: 200_000, largestForSnapshots: 300_000, receiveBudget: 400_000)
    }
    try changed.validate()
    let settings = try EngineSettings(changed, advertisedAddress: "127.0.0.1:1")
    #expect(settings.limits.initialWindow == 100_000)
    #expect(settings.limits.maximumAppendWindow == 200_000)
    #expect(settings.limits.maximumSnapshotWindow == 300_000)
    #expect(settings.limits.receiveBudget == 400_000)
  }

  @Test("The defaults of the transport are those of the protocol's page")
  func defaults() throws {
    let settings = try EngineSettings(configuration(), advertisedAddress: "127.0.0.1:1")
    #expect(settings.limits.initialWindow == MuxLimits.defaults.initialWindow)
    #expect(settings.limits.maximumAppendWindow == MuxLimits.defaults.maximumAppendWindow)
    #expect(settings.limits.maximumSnapshotWindow == MuxLimits.defaults.maximumSnapshotWindow)
    #expect(settings.limits.receiveBudget == MuxLimits.defaults.receiveBudget)
  }

  @Test("Windows out of range are refused, and the field is named")
  func windowRanges() throws {
    let bad: [(String, (inout TransportConfiguration.Windows) -> Void)] = [
      ("windows.initial", { $0.initial = 16_383 }),
      ("windows.initial", { $0.initial = (64 << 20) + 1 }),
      ("windows.largestForAppends", { $0.largestForAppends = (256 << 10) - 1 }),
      ("windows.largestForAppends", { $0.largestForAppends = (1 << 30) + 1 }),
      ("windows.largestForSnapshots", { $0.largestForSnapshots = 0 }),
      ("windows.largestForSnapshots", { $0.largestForSnapshots = .max }),
      ("windows.receiveBudget", { $0.receiveBudget = (256 << 10) - 1 }),
      ("windows.receiveBudget", { $0.receiveBudget = (1 << 40) + 1 }),
    ]
    for (field, change) in bad {
      let changed = configuration { change(&$0.windows) }
      let error = #expect(throws: TransportError.self) { try changed.validate() }
      #expect(error?.code == .badConfiguration)
      #expect(error.map { "\($0)".contains(field) } == true, "\(field)")
    }
    for edge in [16 << 10, 64 << 20] {
      try configuration {
        $0.windows = .init(
          initial: edge, largestForAppends: edge, largestForSnapshots: 1 << 30, receiveBudget: edge)
      }.validate()
    }
  }

  // R-HSK-15
  @Test(
    "Checksums are offered where the switch says", arguments: TransportConfiguration.FrameChecksums.allCases,
    [true, false])
  func checksums(_ checksums: TransportConfiguration.FrameChecksums, isLoopback: Bool) throws {
    let settings = try EngineSettings(
      configuration { $0.frameChecksums = checksums }, advertisedAddress: "127.0.0.1:1")
    let expected =
      switch checksums {
      case .automatic: !isLoopback
      case .always: true
      case .never: false
      }
    #expect(settings.features(isLoopback: isLoopback, .plaintext).contains(.crc32) == expected)
    // TLS has checksums of its own.
    #expect(settings.features(isLoopback: isLoopback, .tls).contains(.crc32) == (checksums == .always))
  }
}
