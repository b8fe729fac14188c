import Logging
import NIOCore
import RaftWire

/// Everything about peers that speak the old protocol, for the rest of the transport; from any thread.
final class OldPeerDirectory: Sendable {
  let eventLoop: any EventLoop
  let encoder: WireEncoder
  let limits: MessageLimits
  let chooser: ProtocolChooser
  private let caller: NIOLoopBound<ClassicCaller>
  private let listener: NIOLoopBound<ClassicListener>

  /// On the event loop.
  init(configuration: TransportConfiguration, services: InboundServices, eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    encoder = services.encoder
    limits = services.messageLimits
    chooser = ProtocolChooser(configuration: configuration, eventLoop: eventLoop)
    caller = NIOLoopBound(
      ClassicCaller(configuration: configuration, chooser: chooser, eventLoop: eventLoop),
      eventLoop: eventLoop)
    listener = NIOLoopBound(
      ClassicListener(configuration: configuration, services: services, eventLoop: eventLoop),
      eventLoop: eventLoop)
  }

  /// Runs something on the event loop that concerns our calls.
  func perform(_ body: @escaping @Sendable (ClassicCaller) -> Void) {
    eventLoop.execute { body(self.caller.value) }
  }

  /// Serves an accepted connection; on the event loop.
  func serve(_ channel: any Channel, acceptedAt: NIODeadline) throws {
    try listener.value.serve(channel, acceptedAt: acceptedAt)
  }

  /// A peer has spoken RMUX, and that it is this peer was shown well enough for our calls to run there.
  func spokeRMUX(_ target: DialTarget) {
    guard chooser.spokeRMUX(target) else { return }
    perform { $0.retire(target.address) }
  }

  /// Finds out whether a peer that closed an RMUX connection without a byte may be an old one (R-CLS-20, R-CLS-26).
  ///
  /// - Parameter whenDone: Told once, on the event loop.
  func look(at target: DialTarget, whenDone: @escaping @Sendable (_ mayBeOld: Bool) -> Void) {
    guard chooser.choice(for: target) == .rmux(mayFallBack: true) else { return whenDone(false) }
    perform { $0.look(at: target, whenDone: whenDone) }
  }

  // MARK: Lifecycle

  /// Closes the streams in good order, as upstream's `CloseStreams` does (R-CLS-11, R-CLS-17).
  ///
  /// - Parameter closingIdle: Whether connections of peers on which nothing is under way are closed at once instead
  ///   of answering one more request.
  func closeStreams(closingIdle: Bool = false) {
    eventLoop.execute {
      self.caller.value.retireAll()
      if closingIdle { self.listener.value.retireAndCloseIdle() } else { self.listener.value.retire() }
    }
  }

  /// Ends everything; returns when every socket that was dialled is closed. Those that were accepted are closed by now,
  /// too, but whoever accepted them waits for their ends.
  func shutDown() async {
    let channels = try? await eventLoop.submit {
      self.listener.value.shutDown()
      let channels = self.caller.value.channels
      self.caller.value.shutDown()
      return channels
    }.get()
    for channel in channels ?? [] { try? await channel.closeFuture.get() }
  }

  /// What the connections are doing.
  func statistics() async -> [TransportStatistics.Connection] {
    (try? await eventLoop.submit { self.caller.value.statistics + self.listener.value.statistics }.get())
      ?? []
  }
}
