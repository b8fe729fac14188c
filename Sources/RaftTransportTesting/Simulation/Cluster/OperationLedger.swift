internal import NIOCore
internal import RaftTransport

/// Keeps account of all RPCs of a simulation, and finds what must not be.
final class OperationLedger {
  private(set) var operations: [UInt64: SimulatedOperation] = [:]
  /// Numbers of those that have not ended for their callers, in the order in which they began.
  private(set) var open: [UInt64] = []
  private var lastNumber: UInt64 = 0
  /// For each pipeline, the place of the request that a handler has to see next, by the handler's life.
  private var nextPlaces: [UInt64: Int] = [:]
  private var brokenPipelines: Set<UInt64> = []
  private var nextSettled: [UInt64: Int] = [:]
  private let report: (String) -> Void

  init(report: @escaping (String) -> Void) {
    self.report = report
  }

  var count: Int { operations.count }

  // MARK: The caller's side

  func begin(
    _ kind: SimulatedOperation.Kind, from caller: String, to target: Int, wanting id: ServerID?, due: Int64?
  ) -> UInt64 {
    lastNumber += 1
    operations[lastNumber] = SimulatedOperation(
      number: lastNumber, kind: kind, caller: caller, target: target, wantedID: id, due: due)
    open.append(lastNumber)
    return lastNumber
  }

  func update(_ number: UInt64, _ change: (inout SimulatedOperation) -> Void) {
    guard var operation = operations[number] else { return report("an RPC that nobody sent: #\(number)") }
    change(&operation)
    operations[number] = operation
  }

  func end(_ number: UInt64, _ ending: SimulatedOperation.Ending) {
    open.removeAll { $0 == number }
    update(number) { operation in
      operation.endings += 1
      operation.ending = operation.ending ?? ending
    }
    guard let operation = operations[number] else { return }
    if operation.endings > 1 { report("\(operation.text) ended \(operation.endings) times") }
    if let pipeline = operation.pipeline { settle(operation, pipeline) }
    switch ending {
    case .answered:
      if operation.handlers.count != 1 {
        report("\(operation.text) was answered, and handled \(operation.handlers.count) times")
      }
      if operation.handlerSucceeded != true { report("\(operation.text) succeeded without such an answer") }
    case .failed(let error):
      check(error, of: operation)
    }
  }

  /// The caller's requests on a pipeline end in their order, and none is answered behind one that failed.
  private func settle(_ operation: SimulatedOperation, _ pipeline: (number: UInt64, place: Int)) {
    let expected = nextSettled[pipeline.number, default: 0]
    if pipeline.place != expected { report("\(operation.text) ended before the one in front of it") }
    nextSettled[pipeline.number] = pipeline.place + 1
    if case .failed(let error) = operation.ending, error.code != .remote {
      brokenPipelines.insert(pipeline.number)
    } else if brokenPipelines.contains(pipeline.number) {
      report("\(operation.text) was answered on a pipeline that had failed")
    }
  }

  private func check(_ error: TransportError, of operation: SimulatedOperation) {
    switch error.delivery {
    case .notDelivered:
      if !operation.handlers.isEmpty { report("\(operation.text) was delivered, though: \(error)") }
    case .answered:
      if operation.handlers.isEmpty { report("\(operation.text) was never delivered, though: \(error)") }
    case .unknown: break
    }
    if error.code == .remote, operation.handlerSucceeded != false {
      report("\(operation.text) failed without such an answer: \(error)")
    }
    // No server here sends what cannot be read.
    if error.code == .malformedResponse { report("\(operation.text): \(error)") }
  }

  // MARK: The handler's side

  func handled(_ number: UInt64, _ kind: SimulatedOperation.Kind, by server: String, id: ServerID) {
    update(number) { $0.handlers.append(server) }
    guard let operation = operations[number] else { return }
    if operation.kind != kind { report("\(operation.text) arrived as \(kind)") }
    if operation.handlers.count > 1 {
      report("\(operation.text) was handled \(operation.handlers.count) times: \(operation.handlers)")
    }
    if let wanted = operation.wantedID, wanted != id { report("\(operation.text) was handled by \(id)") }
    if case .failed(let error) = operation.ending, error.delivery == .notDelivered {
      report("\(operation.text) was delivered after: \(error)")
    }
    guard let pipeline = operation.pipeline else { return }
    if pipeline.place != nextPlaces[pipeline.number, default: 0] {
      report("\(operation.text) came out of order: it is request \(pipeline.place) of its pipeline")
    }
    nextPlaces[pipeline.number] = pipeline.place + 1
  }

  func answered(_ number: UInt64, success: Bool) {
    update(number) { $0.handlerSucceeded = success }
  }

  // MARK: Looks

  /// Reports what should have ended by now.
  func checkDue(now: Int64) {
    for number in open {
      guard let operation = operations[number], let due = operation.due, due < now else { continue }
      report("\(operation.text) has not ended in time")
      operations[number]?.due = nil
    }
  }

  /// Gives everybody more time, since a process stood still.
  func postpone(by nanoseconds: Int64) {
    for number in open { operations[number]?.due? += nanoseconds }
  }

  /// The number that the next RPC gets.
  var nextNumber: UInt64 { lastNumber + 1 }

  /// Reports each RPC from a number on that was not answered.
  func checkAllAnswered(from first: UInt64) {
    for number in operations.keys.sorted() where number >= first {
      guard let operation = operations[number], case .failed(let error)? = operation.ending else { continue }
      report("though the network is well, \(operation.text) failed: \(error)")
    }
  }

  /// Reports each RPC from a number on that did not fail with a certain code.
  func checkAllFailed(from first: UInt64, with code: TransportError.Code) {
    for number in operations.keys.sorted() where number >= first {
      guard let operation = operations[number] else { continue }
      if case .failed(let error)? = operation.ending, error.code == code { continue }
      let ending = operation.ending.map { "\($0)" } ?? "nothing"
      report("\(operation.text) should have failed with \(code), and ended with \(ending)")
    }
  }

  func checkAllEnded() {
    for number in open { report("\(operations[number]?.text ?? "") has never ended") }
    for operation in operations.values.sorted(by: { $0.number < $1.number })
    where operation.hasBadSource && operation.bodyWasWhole {
      report("\(operation.text) was taken for whole, though its source had failed")
    }
  }
}
