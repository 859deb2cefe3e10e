namespace LoraServe.Serving.Scheduling;

/// <summary>What a step can hold.</summary>
/// <param name="Rows">Most rows.</param>
/// <param name="LogitRows">Most rows of logits.</param>
/// <param name="Places">Most sequences that run.</param>
/// <param name="AdapterWaitTicks">How long a request waits for its adapter before others give up their room, in ticks of the clock's timestamps.</param>
internal readonly record struct SchedulerLimits(int Rows, int LogitRows, int Places, long AdapterWaitTicks);
