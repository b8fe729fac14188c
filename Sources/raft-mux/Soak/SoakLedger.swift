import RaftTransport
import Synchronization

/// What came of each request: who saw it, and what its caller was told. It holds what is under way and no more, so that
/// it does not grow.
final class SoakLedger: Sendable {
  struct Figures: Sendable, Codable, Equatable {
    var requests: UInt64 = 0
    var answers: UInt64 = 0
    var pipelines: UInt64 = 0
    var snapshots: UInt64 = 0
    var snapshotBytes: Int64 = 0
    /// Failed calls, by the error's code and what is known of the delivery.
    var errors: [String: UInt64] = [:]
  }

  /// A request whose caller waits, or was told that nobody knows whether it was delivered.
  private struct Entry {
    var seen = 0
    var processed = 0
    var isUnderWay = true
  }

  private struct State {
    var entries: [UInt64: Entry] = [:]
    var next: UInt64 = 1
    var figures = Figures()
    var problems: [String] = []
    var problemCount = 0

    mutating func note(_ problem: @autoclosure () -> String, unless isRight: Bool) {
      guard !isRight else { return }
      problemCount += 1
      // The first ones tell enough, and a run that goes wrong must not fill the memory.
      if problems.count < 20 { problems.append(problem()) }
    }
  }

  private let state = Mutex(State())

  var figures: Figures { state.withLock { $0.figures } }
  var problems: [String] { state.withLock { $0.problems } }
  /// Requests of which nobody knows whether they will still arrive, and those under way.
  var openEntries: Int { state.withLock { $0.entries.count } }

  /// The number of a new request.
  func begin() -> UInt64 {
    state.withLock { state in
      defer { state.next += 1 }
      state.entries[state.next] = Entry()
      state.figures.requests += 1
      return state.next
    }
  }

  func notePipeline() {
    state.withLock { $0.figures.pipelines += 1 }
  }

  /// A handler got a request.
  func saw(_ number: UInt64?, isRight: Bool) {
    state.withLock { state in
      guard let number else { return state.note("a request without a number", unless: false) }
      state.note("request \(number) has wrong bytes", unless: isRight)
      guard state.entries[number] != nil else {
        return state.note("request \(number) came though it was settled", unless: false)
      }
      state.entries[number]?.seen += 1
      let entry = state.entries[number]
      state.note("request \(number) came twice", unless: entry?.seen == 1)
      if entry?.isUnderWay == false { state.entries[number] = nil }
    }
  }

  /// A handler is about to answer a request in the affirmative.
  func processed(_ number: UInt64?, snapshotBytes: Int64? = nil) {
    state.withLock { state in
      guard let number else { return }
      state.entries[number]?.processed += 1
      guard let snapshotBytes else { return }
      state.figures.snapshots += 1
      state.figures.snapshotBytes += snapshotBytes
    }
  }

  /// A handler read bytes of a snapshot that are not those that were sent.
  func sawWrongBytes(_ number: UInt64?, at offset: Int64) {
    state.withLock {
      $0.note("snapshot \(number.map(String.init) ?? "?") has wrong bytes behind \(offset)", unless: false)
    }
  }

  /// The caller got an answer.
  func answered(_ number: UInt64, by answer: RPCHeader) {
    state.withLock { state in
      state.figures.answers += 1
      state.note("the answer to \(number) is another's", unless: SoakRequests.number(of: answer) == number)
      let entry = state.entries.removeValue(forKey: number)
      state.note(
        "request \(number) was answered and seen \(entry?.seen ?? -1), processed \(entry?.processed ?? -1) times",
        unless: entry?.seen == 1 && entry?.processed == 1)
    }
  }

  /// The caller got an error.
  func failed(_ number: UInt64, _ error: any Error) {
    state.withLock { state in
      guard let error = error as? TransportError else {
        return state.note("request \(number) failed strangely: \(error)", unless: false)
      }
      state.figures.errors["\(error.code), \(error.delivery)", default: 0] += 1
      guard let entry = state.entries[number] else {
        return state.note("request \(number) ended twice", unless: false)
      }
      if error.delivery == .notDelivered {
        state.note("request \(number) was delivered, not: \(error)", unless: entry.seen == 0)
      }
      if error.delivery == .notDelivered || entry.seen > 0 {
        state.entries[number] = nil
      } else {
        state.entries[number]?.isUnderWay = false
      }
    }
  }

  /// Nothing is under way any more, so nothing may arrive: what nobody knew of never will.
  func settle() {
    state.withLock { state in
      let forgotten = state.entries.filter(\.value.isUnderWay).count
      state.note("\(forgotten) requests were never answered", unless: forgotten == 0)
      state.entries.removeAll(keepingCapacity: true)
    }
  }

  func note(_ problem: String) {
    state.withLock { $0.note(problem, unless: false) }
  }
}
