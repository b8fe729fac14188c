import Foundation
import NIOCore
import Testing

@testable import StreamMux

@Suite("Probe")
struct WindowProbe {
  @Test("probe", .enabled(if: ProcessInfo.processInfo.environment["PROBE"] != nil))
  func probe() throws {
    typealias S = WindowSimulation.Setting
    var rows: [(String, S)] = []
    func add(_ name: String, _ change: (inout S) -> Void) { var s = S(); change(&s); rows.append((name, s)) }
    for kind in [CongestionModel.Kind.cubic, .bbr, .none] {
      add("100M x 80 \(kind)") { $0.congestion = kind }
      add("100M x 80 \(kind) q20") { $0.congestion = kind; $0.queue = 20 }
      add("100M x 80 \(kind) q400") { $0.congestion = kind; $0.queue = 400 }
      add("100M x 80 \(kind) 0.1%") { $0.congestion = kind; $0.lossPerMillion = 1000 }
      add("20M x 150 \(kind) 1%") { $0.congestion = kind; $0.lossPerMillion = 10000; $0.rate = 2_500_000; $0.roundTrip = .milliseconds(150); $0.length = .seconds(30) }
      add("1G x 100 \(kind)") { $0.congestion = kind; $0.rate = 125_000_000; $0.roundTrip = .milliseconds(100); $0.length = .seconds(10) }
    }
    add("20M x 150 cubic q1000 180s") { $0.rate = 2_500_000; $0.roundTrip = .milliseconds(150); $0.queue = 1000; $0.length = .seconds(260) }
    for (name, setting) in rows {
      let t0 = ContinuousClock.now
      var line = name.padding(toLength: 30, withPad: " ", startingAt: 0)
      for windows in [WindowSimulation.Windows.growing, .fixed(64 << 20)] {
        var sim = try WindowSimulation(setting, windows: windows, seed: 1)
        let samples = try sim.run()
        guard let end = samples.last, let mid = samples.first(where: { $0.time >= .nanoseconds(setting.length.nanoseconds / 3) }) else { continue }
        let share = Double(end.consumed[0] - mid.consumed[0]) / (Double((end.time - mid.time).nanoseconds) / 1e9 * Double(setting.rate))
        let peak = samples.map { $0.windows[0] }.max() ?? 0
        let rtt = samples.map { $0.roundTripOfTCP.nanoseconds }.max() ?? 0
        // time to 90 %: first second-long... one RTT window
        let per = 20
        var t90: Double = -1
        for i in stride(from: per, to: samples.count, by: 1) {
          let d = Double(samples[i].consumed[0] - samples[i - per].consumed[0])
          let t = Double((samples[i].time - samples[i - per].time).nanoseconds) / 1e9
          if d >= 0.9 * Double(setting.rate) * t { t90 = Double(samples[i].time.nanoseconds) / 1e9; break }
        }
        line += String(format: " | %5.1f %% t90 %5.2f s peakW/BDP %6.2f lastW/BDP %6.2f maxSRTT %4d ms", share * 100, t90, Double(peak) / Double(setting.product), Double(end.windows[0]) / Double(setting.product), rtt / 1_000_000)
      }
      print(line, ContinuousClock.now - t0)
    }
  }
}
