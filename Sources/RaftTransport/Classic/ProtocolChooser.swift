import Logging
import NIOCore
import Synchronization

/// What peers have shown of the protocols that they speak: the memory, shared by all who learn of it and all who ask.
final class ProtocolChooser: Sendable {
  private let memory: Mutex<PeerProtocolMemory>
  private let eventLoop: any EventLoop
  private let memoryTime: Duration
  private let logger: Logger

  init(configuration: TransportConfiguration, eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    logger = configuration.logger
    memoryTime = configuration.oldPeers.memory
    let mode: PeerProtocolMemory.Mode =
      if !configuration.allowsClassic { .rmuxOnly } else if !configuration.allowsRMUX { .classicOnly } else {
        .preferRMUX
      }
    memory = Mutex(
      PeerProtocolMemory(
        mode: mode, memory: TimeAmount(configuration.oldPeers.memory),
        spokeRMUX: configuration.oldPeers.knownToSpeakRMUX))
  }

  /// How to call a peer now.
  func choice(for target: DialTarget) -> PeerProtocolMemory.Choice {
    memory.withLock { $0.choice(for: target, now: eventLoop.now) }
  }

  /// Whether an address is one of a server that has spoken RMUX, and RMUX may be dialled.
  func speaksRMUX(at address: ServerAddress) -> Bool {
    memory.withLock { $0.mode != .classicOnly && $0.spokeRMUX.addresses.contains(address) }
  }

  func answeredClassic(_ target: DialTarget) {
    guard memory.withLock({ $0.answeredClassic(target, now: eventLoop.now) }) else { return }
    logger.info(
      "a peer speaks the old protocol; RMUX is tried again after a while",
      metadata: ["server": "\(target.id)", "address": "\(target.address)", "after": "\(memoryTime)"])
  }

  func failedClassic(_ target: DialTarget) {
    memory.withLock { $0.failedClassic(target.address) }
  }

  /// A peer has spoken RMUX.
  ///
  /// - Returns: Whether it was called with the old protocol until now.
  func spokeRMUX(_ target: DialTarget) -> Bool {
    let wasClassic = memory.withLock { $0.spokeRMUX(target) }
    if wasClassic {
      logger.info(
        "a peer that spoke the old protocol speaks RMUX now",
        metadata: ["server": "\(target.id)", "address": "\(target.address)"])
    }
    return wasClassic
  }

  func forgetRMUX(_ target: DialTarget) {
    memory.withLock { $0.forgetRMUX(target) }
  }

  var peersThatSpokeRMUX: TransportConfiguration.KnownPeers {
    memory.withLock { $0.spokeRMUX }
  }
}
