#if Authentication
  import Synchronization

  /// The keys that a server knows: one to prove with, and all to check others with.
  ///
  /// To change the key of a running cluster, give every server the old one and also the new; when all have both, the new
  /// one and also the old; when all have that, the new one alone. Connections that stand are not touched.
  public final class SharedKeys: Sendable {
    private struct State: Sendable {
      var current: SharedKey
      var others: [SharedKey]
    }

    private let state: Mutex<State>

    /// Keys to begin with.
    ///
    /// - Parameters:
    ///   - current: What this server proves with.
    ///   - others: What peers may prove with besides.
    public init(_ current: SharedKey, alsoAccepting others: [SharedKey] = []) {
      state = Mutex(State(current: current, others: others))
    }

    /// Other keys, for new connections.
    public func replace(_ current: SharedKey, alsoAccepting others: [SharedKey] = []) {
      state.withLock { $0 = State(current: current, others: others) }
    }

    var proving: SharedKey { state.withLock { $0.current } }

    var accepted: [SharedKey] { state.withLock { [$0.current] + $0.others } }
  }
#endif
