using LoraServe.Training.Reports;
using LoraServe.Training.Steps;

namespace LoraServe.Training.Runs;

/// <summary>Times a run's steps and evaluations.</summary>
internal sealed class RunClock(TimeProvider time)
{
    private const int RecentSteps = 20;
    private readonly Queue<(long Stamp, long Tokens)> _recent = new();
    private long _evaluationTicks;

    /// <summary>Time spent on steps and evaluations so far.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>Time spent on evaluations so far.</summary>
    public TimeSpan Evaluating => TimeSpan.FromSeconds((double)_evaluationTicks / time.TimestampFrequency);

    /// <summary>Says that the run goes on now, after whatever was not its time.</summary>
    /// <param name="tokens">Tokens trained on so far.</param>
    public void Start(long tokens)
    {
        _recent.Clear();
        _recent.Enqueue((time.GetTimestamp(), tokens));
    }

    /// <summary>Times an evaluation.</summary>
    public T Evaluate<T>(Func<T> evaluation)
    {
        long start = time.GetTimestamp();
        T result = evaluation();
        _evaluationTicks += time.GetTimestamp() - start;
        return result;
    }

    /// <summary>A step that has just ended.</summary>
    public TrainingProgress Step(StepResult result, int step, int totalSteps, long tokens)
    {
        long now = time.GetTimestamp();
        (long last, _) = _recent.Last();
        Elapsed += time.GetElapsedTime(last, now);
        _recent.Enqueue((now, tokens));
        (long stamp, long before) = _recent.Count > RecentSteps ? _recent.Dequeue() : _recent.Peek();
        double seconds = time.GetElapsedTime(stamp, now).TotalSeconds;
        return new TrainingProgress
        {
            Step = step,
            TotalSteps = totalSteps,
            Tokens = tokens,
            Loss = result.Loss,
            LearningRate = result.LearningRate,
            GradientNorm = result.GradientNorm,
            TokensPerSecond = seconds > 0 ? (tokens - before) / seconds : 0,
            SecondsLeft = seconds / (_recent.Count - 1) * (totalSteps - step),
            Time = time.GetUtcNow(),
        };
    }
}
