internal import DequeModule
internal import RaftTransport
internal import Synchronization

/// Why a link was cut.
struct InMemorySeverance: Sendable {
  /// The code for calls that their handler may have seen.
  let code: TransportError.Code
  /// The code for calls that still waited for room.
  let codeBeforeDelivery: TransportError.Code
  let message: String
}

/// The way from one in-memory transport to another: keeps a bounded number of requests at the peer.
final class InMemoryLink: Sendable {
  /// Elections have room of their own, so that unanswered appends cannot keep a vote out.
  enum Lane: Sendable, Hashable {
    case ordinary
    case election
  }

  /// Names what was handed to the link, so that it can be taken back.
  struct Ticket: Hashable, Sendable {
    fileprivate let number: UInt64
  }

  /// Hands a request to the peer; `false` if it was not wanted any more and takes no room.
  typealias Delivery = @Sendable () -> Bool

  private struct LaneState {
    var freeSlots: Int
    var waiting = Deque<(ticket: Ticket, deliver: Delivery)>()
    var isDraining = false
  }

  private struct State {
    var severance: InMemorySeverance?
    var nextTicket: UInt64 = 0
    var onSevered: [Ticket: @Sendable (InMemorySeverance) -> Void] = [:]
    var lanes: [Lane: LaneState]

    mutating func makeTicket() -> Ticket {
      self.nextTicket += 1
      return Ticket(number: self.nextTicket)
    }
  }

  let inbox: InMemoryInbox
  private let state: Mutex<State>

  /// - Parameter slots: How many requests of each lane may be at the peer without an answer.
  init(to inbox: InMemoryInbox, slots: Int) {
    self.inbox = inbox
    self.state = Mutex(
      State(lanes: [.ordinary: LaneState(freeSlots: slots), .election: LaneState(freeSlots: slots)]))
  }

  /// A name for a request of which nobody has to be told when the link is cut.
  func makeTicket() -> Ticket {
    self.state.withLock { $0.makeTicket() }
  }

  /// Calls the closure when the link is cut; at once if it has been.
  func observe(_ onSevered: @escaping @Sendable (InMemorySeverance) -> Void) -> Ticket {
    let (ticket, severance) = self.state.withLock { state in
      let ticket = state.makeTicket()
      if state.severance == nil { state.onSevered[ticket] = onSevered }
      return (ticket, state.severance)
    }
    if let severance { onSevered(severance) }
    return ticket
  }

  /// Delivers a request as soon as there is room, in the order of the calls; never, if the link is cut
  /// before.
  func submit(_ ticket: Ticket, lane: Lane, deliver: @escaping Delivery) {
    self.state.withLock { state in
      guard state.severance == nil else { return }
      state.lanes[lane]?.waiting.append((ticket, deliver))
    }
    self.drain(lane)
  }

  /// Gives the room of an answered request back.
  func release(_ lane: Lane) {
    self.state.withLock { $0.lanes[lane]?.freeSlots += 1 }
    self.drain(lane)
  }

  /// Takes a request back that still waits, and forgets whoever watches under this ticket.
  func forget(_ ticket: Ticket) {
    self.state.withLock { state in
      state.onSevered[ticket] = nil
      for lane in state.lanes.keys { state.lanes[lane]?.waiting.removeAll { $0.ticket == ticket } }
    }
  }

  /// Cuts the link for good.
  func sever(_ severance: InMemorySeverance) {
    let observers = self.state.withLock { state -> [@Sendable (InMemorySeverance) -> Void] in
      guard state.severance == nil else { return [] }
      state.severance = severance
      for lane in state.lanes.keys { state.lanes[lane]?.waiting.removeAll() }
      let observers = Array(state.onSevered.values)
      state.onSevered = [:]
      return observers
    }
    for observer in observers { observer(severance) }
  }

  var isSevered: Bool { self.state.withLock { $0.severance != nil } }

  /// Delivers while there is room.
  ///
  /// A handler that answers at once releases from inside a delivery: then the outer loop goes on, so that the
  /// stack does not grow with the queue.
  private func drain(_ lane: Lane) {
    let mayDrain = self.state.withLock { state in
      guard state.lanes[lane]?.isDraining == false else { return false }
      state.lanes[lane]?.isDraining = true
      return true
    }
    guard mayDrain else { return }
    while let deliver = self.nextDelivery(lane) {
      if !deliver() { self.state.withLock { $0.lanes[lane]?.freeSlots += 1 } }
    }
  }

  private func nextDelivery(_ lane: Lane) -> Delivery? {
    self.state.withLock { state in
      guard let laneState = state.lanes[lane], laneState.freeSlots > 0,
        let first = state.lanes[lane]?.waiting.popFirst()
      else {
        state.lanes[lane]?.isDraining = false
        return nil
      }
      state.lanes[lane]?.freeSlots -= 1
      return first.deliver
    }
  }
}
