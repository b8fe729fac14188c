internal import DequeModule
internal import NIOCore

/// One direction of a link, which all its connections share. Confined to the link's event loop.
final class LinkPath {
  /// Things that come out within this time of each other come out together, so that many small messages do
  /// not cost a timer each.
  private static let batch = TimeAmount.microseconds(200)

  var faults = LinkFaults()
  private(set) var forwardedBytes = 0
  private var pacing: LinkPacing
  private let initialProfile: LinkProfile

  private let eventLoop: any EventLoop
  private var flows: [Int: LinkDirection] = [:]
  private var nextFlow = 0
  /// Flows that would read and are not let, in the order in which they asked.
  private var waitingForRoom: Deque<Int> = []
  private var wakeUp: (task: Scheduled<Void>, deadline: NIODeadline)?
  private var lastPump: NIODeadline
  private var isPumping = false
  private var isPumpNeeded = false

  init(profile: LinkProfile, eventLoop: any EventLoop, now: NIODeadline = .now()) {
    self.initialProfile = profile
    self.pacing = LinkPacing(profile: profile, now: now)
    self.eventLoop = eventLoop
    self.lastPump = now
  }

  var profile: LinkProfile { self.pacing.profile }
  var queuedBytes: Int { self.pacing.queuedBytes }
  var bytesInFlight: Int { self.pacing.bytesInFlight }

  /// How much one read takes: what the wire carries in a millisecond, within reason.
  var readSize: Int {
    guard let rate = self.profile.bytesPerSecond else { return 64 << 10 }
    return max(4 << 10, min(rate / 1000, 64 << 10))
  }

  /// What a socket may keep in the kernel; `nil`: what the system thinks right.
  ///
  /// What waits there waits before the queue, where nobody counts it.
  var socketBufferBytes: Int? {
    self.profile.bytesPerSecond.map { max(32 << 10, min($0 / 500, 256 << 10)) }
  }

  func change(to profile: LinkProfile) {
    self.pacing.change(to: profile, now: .now())
    self.pump()
  }

  func standStill(_ standsStill: Bool) {
    self.pacing.standStill(standsStill, now: .now())
    self.pump()
  }

  /// No faults, the profile that the link began with, and no standing still.
  func heal() {
    self.faults = LinkFaults()
    self.pacing.standStill(false, now: .now())
    self.change(to: self.initialProfile)
  }

  // MARK: Flows

  func add(_ flow: LinkDirection) -> Int {
    defer { self.nextFlow += 1 }
    self.flows[self.nextFlow] = flow
    return self.nextFlow
  }

  /// What the flow still has on the path takes its time on the wire all the same.
  func remove(_ flow: Int) {
    self.flows[flow] = nil
  }

  /// The flow reads as soon as there is room.
  func requestRead(_ flow: Int) {
    self.waitingForRoom.append(flow)
  }

  /// Bytes of a flow come in, or its end. They come out when the path is pumped.
  func offer(_ count: Int, of flow: Int) {
    self.pacing.offer(count, of: flow, now: .now())
  }

  func countForwarded(_ count: Int) {
    self.forwardedBytes += count
  }

  /// Hands over what has come out and lets flows read.
  func pump() {
    self.isPumpNeeded = true
    guard !self.isPumping else { return }
    self.isPumping = true
    defer { self.isPumping = false }
    while self.isPumpNeeded {
      self.isPumpNeeded = false
      let now = NIODeadline.now()
      self.lastPump = now
      var touched: Set<Int> = []
      while let arrival = self.pacing.nextArrival(now: now) {
        guard let flow = self.flows[arrival.flow] else { continue }
        flow.arrived(arrival.count)
        touched.insert(arrival.flow)
      }
      for flow in touched { self.flows[flow]?.deliver() }
      self.grantReads()
    }
    self.schedule()
  }

  /// Lets as many flows read as there is room for, when each takes a whole read.
  private func grantReads() {
    var room = self.pacing.room
    while room > 0, let flow = self.waitingForRoom.popFirst() {
      if self.flows[flow]?.read() == true { room -= self.readSize }
    }
  }

  private func schedule() {
    guard let change = self.pacing.nextChange(roomIsWanted: !self.waitingForRoom.isEmpty) else {
      self.stop()
      return
    }
    let deadline = max(change, self.lastPump + Self.batch)
    if let wakeUp, wakeUp.deadline <= deadline { return }
    self.wakeUp?.task.cancel()
    let task = self.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.wakeUp = nil
      self.pump()
    }
    self.wakeUp = (task, deadline)
  }

  /// Ends the timer.
  func stop() {
    self.wakeUp?.task.cancel()
    self.wakeUp = nil
  }
}
