public import RaftTransport

/// A list of checks that any ``Transport`` should pass, whatever carries its bytes.
///
/// It depends on no test framework: each check is an asynchronous function that throws a ``Failure``. With
/// Swift Testing a whole suite is one parameterised test:
///
///     @Test(arguments: TransportSuite.checks(for: fixture))
///     func myTransportBehaves(check: TransportSuite.Check) async throws {
///       try await check.run(on: fixture)
///     }
public enum TransportSuite {
  /// Two transports that are connected: what the caller sends to `calleeAddress` reaches the callee.
  public struct Pair: Sendable {
    /// The side that makes the calls.
    public var caller: any Transport
    /// The side that answers them.
    public var callee: any Transport
    /// The callee's ID; empty if it has none.
    public var calleeID: ServerID
    /// Where the caller reaches the callee.
    public var calleeAddress: ServerAddress

    /// Names two connected transports.
    public init(
      caller: any Transport, callee: any Transport, calleeID: ServerID, calleeAddress: ServerAddress
    ) {
      self.caller = caller
      self.callee = callee
      self.calleeID = calleeID
      self.calleeAddress = calleeAddress
    }
  }

  /// Makes what the checks work on.
  public struct Fixture: Sendable {
    /// Makes a new pair, whose calls time out after ten seconds at the earliest. The check closes both.
    public var makePair: @Sendable () async throws -> Pair

    /// Makes a new pair whose calls time out soon, say after 100 ms. Without it timeouts are not checked.
    public var makeImpatientPair: (@Sendable () async throws -> Pair)?

    /// What the transport claims.
    public var options: Options

    /// A fixture from its parts.
    public init(
      options: Options = Options(),
      makeImpatientPair: (@Sendable () async throws -> Pair)? = nil,
      makePair: @escaping @Sendable () async throws -> Pair
    ) {
      self.makePair = makePair
      self.makeImpatientPair = makeImpatientPair
      self.options = options
    }
  }

  /// What a transport claims; checks of what it does not claim are left out.
  public struct Options: Sendable {
    /// How many requests a pipeline takes under way; 1 for none, then pipelines are left out.
    public var pipelineDepth = 2
    /// Whether the handlers see further requests of a pipeline before they have answered the earlier ones.
    public var deliversPipelinedRequestsAhead = true
    /// Whether a heartbeat handler gets heartbeats.
    public var honoursHeartbeatHandler = true
    /// Whether the caller of a snapshot hears an answer before all of the snapshot was sent.
    public var answersUnfinishedSnapshots = true
    /// Whether RPCs arrive with all their values, absent and empty ones told apart.
    public var distinguishesAbsentFromEmpty = true
    /// Whether calls to another ID than the callee's are refused.
    public var checksServerIDs = true
    /// Whether the callee's local address is the one at which the caller reaches it.
    public var localAddressIsReachable = true
    /// Whether the callee reaches the caller at the caller's local address.
    public var connectsBothWays = true
    /// An address at which nobody answers; `nil` leaves that out.
    public var unreachableAddress: ServerAddress? = "127.0.0.1:1"
    /// What is no address at all; empty leaves that out.
    public var badAddresses: [ServerAddress] = ["", "nonsense", "host:", "host:port", "host:99999"]
    /// The size of the largest snapshot, in bytes.
    public var largeSnapshotBytes = 8 << 20
    /// The size of the largest log entry, in bytes.
    public var largeEntryBytes = 1 << 20
    /// How many calls are made at once; a multiple of 4.
    public var concurrentCalls = 200
    /// How many appends stay without an answer while a vote has to come through.
    public var unansweredAppends = 24
    /// How long a check may take before it counts as hung.
    public var patience: Duration = .seconds(60)

    /// Everything claimed, with a pipeline depth of 2.
    public init() {}

    var hasPipelines: Bool { self.pipelineDepth > 1 }
    var lacksPipelines: Bool { !self.hasPipelines }
    var deliversAhead: Bool { self.hasPipelines && self.deliversPipelinedRequestsAhead }
    var hasUnreachableAddress: Bool { self.unreachableAddress != nil }
    var hasBadAddresses: Bool { !self.badAddresses.isEmpty }
  }

  /// What a check found wrong.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    /// What should have been.
    public let expected: String
    /// What was.
    public let actual: String
    /// Where in the suite it was found.
    public let location: String

    init(expected: String, actual: String, file: String = #fileID, line: Int = #line) {
      self.expected = expected
      self.actual = actual.isEmpty ? "an empty value" : actual
      self.location = "\(file):\(line)"
    }

    /// The difference and its place.
    public var description: String {
      "expected \(self.expected), but found \(self.actual) (\(self.location))"
    }
  }

  /// One requirement, and the function that checks it.
  public struct Check: Sendable, CustomStringConvertible {
    /// The requirement as a sentence; unique in the suite.
    public let name: String

    let needs: @Sendable (Options) -> Bool
    let needsImpatientPair: Bool
    let body: @Sendable (Scene) async throws -> Void

    init(
      _ name: String, needsImpatientPair: Bool = false,
      if needs: @escaping @Sendable (Options) -> Bool = { _ in true },
      body: @escaping @Sendable (Scene) async throws -> Void
    ) {
      self.name = name
      self.needs = needs
      self.needsImpatientPair = needsImpatientPair
      self.body = body
    }

    /// The name.
    public var description: String { self.name }

    /// Whether a fixture's transport claims what the check is about.
    public func applies(to fixture: Fixture) -> Bool {
      self.needs(fixture.options) && (!self.needsImpatientPair || fixture.makeImpatientPair != nil)
    }

    /// Makes a pair, runs the check on it and closes the pair.
    ///
    /// - Throws: ``Failure`` with what was expected and what was found; what making the pair throws.
    public func run(on fixture: Fixture) async throws {
      let makePair = self.needsImpatientPair ? fixture.makeImpatientPair : fixture.makePair
      guard let makePair, self.needs(fixture.options) else {
        throw Failure(expected: "a fixture that the check applies to", actual: "one that does not claim it")
      }
      let pair = try await makePair()
      let outcome = await self.watch(Scene(pair: pair, options: fixture.options))
      await pair.caller.close()
      await pair.callee.close()
      try outcome.get()
    }

    /// A hung transport fails the check instead of hanging its caller: closing both sides ends every wait.
    private func watch(_ scene: Scene) async -> Result<Void, any Error> {
      await withTaskGroup(of: Result<Void, any Error>?.self) { group in
        group.addTask {
          do {
            return .success(try await self.body(scene))
          } catch {
            return .failure(error)
          }
        }
        group.addTask {
          // A watchdog: a check that hangs fails, and is cancelled when it is done.
          do { try await Task.sleep(for: scene.options.patience) } catch { return nil }
          await scene.caller.close()
          await scene.callee.close()
          return .failure(
            Failure(
              expected: "the check to end within \(scene.options.patience)", actual: "a wait that did not end"
            ))
        }
        let outcome = await group.next()
        group.cancelAll()
        return (outcome ?? nil) ?? .failure(CancellationError())
      }
    }
  }

  /// All checks.
  public static var checks: [Check] {
    self.lifecycleChecks + self.callChecks + self.addressChecks + self.snapshotChecks
      + self.snapshotFailureChecks + self.heartbeatChecks + self.pipelineChecks + self.pipelineEndChecks
      + self.errorChecks + self.interruptionChecks + self.concurrencyChecks
  }

  /// The checks that apply to a fixture.
  public static func checks(for fixture: Fixture) -> [Check] {
    self.checks.filter { $0.applies(to: fixture) }
  }
}
