using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Grammars.Rules;
using LoraServe.Models.Forward;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Options;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;
using LoraServe.Serving.Scheduling;
using LoraServe.Serving.Store.Versions;
using Microsoft.Extensions.Logging;

namespace LoraServe.Serving;

/// <summary>The one thread that plans a step, runs it and commits its results, over and over. Owns sequences, pages and the runner.</summary>
internal sealed partial class EngineLoop : IDisposable
{
    private static readonly TimeSpan s_longestAlarm = TimeSpan.FromDays(1);

    private readonly IStepRunner _runner;
    private readonly IAdapterLeases _leases;
    private readonly Sampler _sampler;
    private readonly Scheduler _scheduler;
    private readonly QueueLimits _queue;
    private readonly EngineInstruments _instruments;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly NativeBuffer _scoreScratch;
    private readonly int _vocabularySize;
    private readonly StepPlan _plan = new();
    private readonly List<(GenerationSequence Sequence, int Row)> _choices = [];
    private readonly List<GenerationSequence> _answers = [];
    private readonly List<SampleSlot> _slots = [];
    private readonly HashSet<Submission> _live = [];
    private readonly List<Submission> _expired = [];
    private readonly ConcurrentQueue<Submission> _submitted = new();
    private readonly ConcurrentQueue<(Submission Submission, Exception Reason)> _cancelled = new();
    private readonly Bell _bell;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private readonly Lock _entrance = new();
    private readonly ITimer _alarm;
    private volatile bool _isClosed;
    private int _accepted;
    private volatile bool _isStopping;
    private volatile bool _isCutOff;
    private long _stepBegun;
    private long _countedPreemptions;

    public EngineLoop(
        IStepRunner runner, WorkerPool pool, IAdapterLeases leases, EngineOptions options, int vocabularySize, EngineInstruments instruments, Bell bell, ILogger logger, TimeProvider time)
    {
        _runner = runner;
        _leases = leases;
        _instruments = instruments;
        _bell = bell;
        _time = time;
        _logger = logger;
        _vocabularySize = vocabularySize;
        _sampler = new Sampler(pool, vocabularySize);
        _scoreScratch = new NativeBuffer((long)vocabularySize * sizeof(float));
        _queue = new QueueLimits(options.MaxQueuedRequests, options.MaxQueuedRequestsPerTenant, time);
        int places = Math.Min(options.MaxRunningSequences, Math.Min(options.MaxLogitRows, options.MaxBatchRows));
        long waitTicks = (long)(options.MaxAdapterWait.TotalSeconds * time.TimestampFrequency);
        var limits = new SchedulerLimits(options.MaxBatchRows, options.MaxLogitRows, places, waitTicks);
        _scheduler = new Scheduler(limits, leases, options.TenantWeights, runner.PageCount, options.PrefixCache) { Admitted = OnAdmitted, Refused = Fail };
        _alarm = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _thread = new Thread(Run) { IsBackground = true, Name = "engine loop" };
    }

    /// <summary>How busy it is; read by other threads, so only about right.</summary>
    public EngineStatus Status => new(
        _queue.Count, _scheduler.Running.Count, _scheduler.Pages.UsedCount, _scheduler.Pages.KeptCount, _scheduler.Pages.Count, _runner.ByteLength, _isClosed, StepTime);

    private TimeSpan StepTime => Volatile.Read(ref _stepBegun) is > 0 and long begun ? _time.GetElapsedTime(begun) : TimeSpan.Zero;

    /// <summary>Called on the loop's thread after each step; tests check integrity and allocation here.</summary>
    public Action<Scheduler>? Stepped { get; set; }

    /// <summary>Called on the loop's thread before it looks for what to do next; tests wait here for what they expect.</summary>
    public Action? Turned { get; set; }

    public void Start() => _thread.Start();

    /// <summary>Queues a request.</summary>
    /// <exception cref="EngineException">The queue is full, or the loop takes nothing new.</exception>
    public void Submit(Submission submission)
    {
        lock (_entrance)
        {
            if (_isClosed)
            {
                throw ShuttingDown();
            }

            try
            {
                _queue.Enter(submission.Options.Tenant);
            }
            catch (EngineException)
            {
                _instruments.Ended(submission.AdapterLabel, "refused");
                throw;
            }

            _accepted++;
        }

        _submitted.Enqueue(submission);
        Wake();
    }

    /// <summary>Ends a request early; its pages are free before the next step.</summary>
    public void Cancel(Submission submission, Exception reason)
    {
        _cancelled.Enqueue((submission, reason));
        Wake();
    }

    /// <summary>Has the loop look again: something has changed.</summary>
    public void Wake() => _bell.Ring();

    /// <summary>Takes nothing new; done when all requests have ended.</summary>
    public Task DrainAsync()
    {
        lock (_entrance)
        {
            _isClosed = true;
            if (_accepted == 0)
            {
                _drained.TrySetResult();
            }
        }

        return _drained.Task;
    }

    /// <summary>Takes nothing new and ends all requests; done when they have ended.</summary>
    public Task CutOffAsync()
    {
        Task drained = DrainAsync();
        _isCutOff = true;
        Wake();
        return drained;
    }

    /// <summary>Cuts off what still runs, ends the thread and frees memory.</summary>
    public void Dispose()
    {
        lock (_entrance)
        {
            _isStopping = true;
            _isClosed = true;
        }

        Wake();
        _thread.Join();
        _alarm.Dispose();
        _instruments.Dispose();
        _sampler.Dispose();
        _scoreScratch.Dispose();
        _runner.Dispose();
    }

    private static EngineException ShuttingDown() => new(EngineError.ShuttingDown, "The server is stopping. Send the request to another, or again later.");

    private void Run()
    {
        while (!_isStopping)
        {
            Turned?.Invoke();
            TakeMessages();
            if (_isCutOff)
            {
                CutOff();
            }

            EndExpired();
            _scheduler.Plan(_plan, _time.GetTimestamp());
            foreach ((int from, int to) in _plan.Copies)
            {
                _runner.CopyPage(from, to);
            }

            if (_plan.IsEmpty)
            {
                SetAlarm();
                _bell.Await();
                continue;
            }

            Volatile.Write(ref _stepBegun, _time.GetTimestamp());
            Step();
            Volatile.Write(ref _stepBegun, 0);
            Stepped?.Invoke(_scheduler);
        }

        TakeMessages();
        CutOff();
    }

    private void CutOff()
    {
        if (_live.Count == 0)
        {
            return;
        }

        LogCutOff(_live.Count);
        foreach (Submission submission in _live.ToArray())
        {
            Fail(submission, ShuttingDown());
        }
    }

    // Whoever waits may become overdue or expire without anybody telling.
    private void SetAlarm()
    {
        long now = _time.GetTimestamp();
        TimeSpan next = TimeSpan.MaxValue;
        foreach (Submission submission in _live)
        {
            if (_scheduler.UntilOverdue(submission, now) is { } ticks)
            {
                next = Min(next, _time.GetElapsedTime(0, ticks));
            }

            if (submission.Options.Deadline is { } deadline)
            {
                next = Min(next, deadline - _time.GetUtcNow());
            }
        }

        // Timers count whole milliseconds, and only so many.
        TimeSpan due = next == TimeSpan.MaxValue ? Timeout.InfiniteTimeSpan : Max(TimeSpan.Zero, Min(next, s_longestAlarm)) + TimeSpan.FromMilliseconds(1);
        _alarm.Change(due, Timeout.InfiniteTimeSpan);

        static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
        static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
    }

    private void TakeMessages()
    {
        TakeSubmitted();
        while (_cancelled.TryDequeue(out (Submission Submission, Exception Reason) cancelled))
        {
            TakeSubmitted(); // it may have come and been cancelled since
            Fail(cancelled.Submission, cancelled.Reason);
        }
    }

    private void TakeSubmitted()
    {
        while (_submitted.TryDequeue(out Submission? submission))
        {
            _live.Add(submission);
            _scheduler.Add(submission);
            HearCancellation(submission);
        }
    }

    // From here on, so that nobody else touches a request's state; what was cancelled before is heard at once.
    private void HearCancellation(Submission submission)
    {
        if (submission.Cancellation.CanBeCanceled)
        {
            submission.State.Cancellation = submission.Cancellation.UnsafeRegister(
                (_, token) => Cancel(submission, new OperationCanceledException(token)), null);
        }
    }

    private void EndExpired()
    {
        foreach (Submission submission in _live)
        {
            if (submission.Options.Deadline is { } deadline && _time.GetUtcNow() >= deadline)
            {
                _expired.Add(submission);
            }
        }

        foreach (Submission submission in _expired)
        {
            Fail(submission, new EngineException(EngineError.DeadlineExceeded, "The request's deadline passed before it was done. Allow more time, or ask for fewer tokens."));
        }

        _expired.Clear();
    }

    private void Step()
    {
        long begun = _time.GetTimestamp();
        int rows = _plan.Batch.RowCount;
        StepLogits logits;
        try
        {
            logits = _runner.Forward(_plan.Batch);
        }
        catch (Exception failure)
        {
            _instruments.StepFailed();
            LogStepFailed(failure, _plan.Entries.Length);
            StepAlone();
            return;
        }

        CommitOrFail(_plan.Entries, logits);
        _instruments.Stepped(_time.GetElapsedTime(begun).TotalSeconds, rows);
        _instruments.Preempted(_scheduler.Preemptions - _countedPreemptions);
        _countedPreemptions = _scheduler.Preemptions;
    }

    // A step is plain data and can be run in parts: only what fails alone fails.
    private void StepAlone()
    {
        for (int i = 0; i < _plan.Entries.Length; i++)
        {
            Span<StepEntry> entry = _plan.Entries.Slice(i, 1);
            Submission submission = entry[0].Sequence.Owner;
            if (submission.State.IsEnded)
            {
                continue;
            }

            try
            {
                _plan.BuildBatch(entry);
                CommitOrFail(entry, _runner.Forward(_plan.Batch));
            }
            catch (Exception failure)
            {
                FailInStep(submission, failure);
            }
        }
    }

    // What fails after the computation concerns whoever took part; the loop goes on for the others.
    private void CommitOrFail(Span<StepEntry> entries, StepLogits logits)
    {
        try
        {
            Commit(entries, logits);
        }
        catch (Exception failure)
        {
            _instruments.StepFailed();
            foreach (ref readonly StepEntry entry in entries)
            {
                FailInStep(entry.Sequence.Owner, failure);
            }
        }
    }

    private void FailInStep(Submission submission, Exception failure)
    {
        LogRequestFailed(failure, submission.Id);
        Fail(submission, new EngineException(EngineError.StepFailed, "The model failed on this request. Send it again, and tell the operator if it fails again.", failure));
    }

    private void Commit(Span<StepEntry> entries, StepLogits logits)
    {
        _choices.Clear();
        foreach (ref readonly StepEntry entry in entries)
        {
            Sequence sequence = entry.Sequence;
            int firstPosition = sequence.CachedTokens;
            _scheduler.Advance(entry);
            Segment segment = _plan.Batch.Segments[entry.Segment];
            var result = new StepResult
            {
                FirstPosition = firstPosition,
                Logits = logits,
                Hidden = _runner.Hidden,
                FirstOutput = segment.FirstOutput,
                OutputCount = segment.OutputCount,
                Scratch = ScoreScratch,
                Choices = _choices,
            };
            if (sequence.Take(result))
            {
                EndSequence(sequence);
            }
        }

        if (_choices.Count > 0)
        {
            Choose(logits);
        }
    }

    // All choices of a step at once, shared out over the workers; answers part here from their common prompt.
    private void Choose(StepLogits logits)
    {
        _slots.Clear();
        _answers.Clear();
        foreach ((GenerationSequence sequence, int row) in _choices)
        {
            int answers = sequence.UnforkedChoices;
            AddSlot(sequence, row);
            for (int choice = 1; choice < answers; choice++)
            {
                AddSlot(_scheduler.Fork(sequence, choice), row);
            }
        }

        Span<SampleSlot> slots = CollectionsMarshal.AsSpan(_slots);
        _sampler.Run(logits, slots);
        for (int i = 0; i < slots.Length; i++)
        {
            Accept(_answers[i], slots[i]);
        }

        foreach (GenerationSequence answer in _answers)
        {
            answer.Signal();
        }
    }

    private unsafe Span<float> ScoreScratch => new(_scoreScratch.Pointer, _vocabularySize);

    private void AddSlot(GenerationSequence answer, int row)
    {
        _answers.Add(answer);
        _slots.Add(new SampleSlot { Answer = answer, Row = row });
    }

    private void Accept(GenerationSequence sequence, in SampleSlot slot)
    {
        Submission submission = sequence.Owner;
        if (submission.State.IsEnded)
        {
            return;
        }

        if (slot.Token < 0)
        {
            Fail(submission, slot.Failure is { } failure
                ? new EngineException(EngineError.InvalidSampling, failure)
                : new EngineException(EngineError.StepFailed, "The model made logits that are not finite numbers for this request. Check the adapter and its weight."));
            return;
        }

        long now = _time.GetTimestamp();
        if (submission.State.GeneratedTokens++ == 0)
        {
            _instruments.FirstToken(_time.GetElapsedTime(submission.ArrivedAt, now).TotalSeconds);
        }

        if (sequence.GeneratedCount == 0)
        {
            sequence.FirstTokenAt = now;
        }

        FinishReason finish;
        try
        {
            finish = sequence.Accept(slot);
        }
        catch (GrammarException error)
        {
            // Of this answer's constraint alone: what is thrown further fails all that took part in the step.
            Fail(submission, new EngineException(EngineError.InvalidSampling, error.Message, error));
            return;
        }

        Scheduler.ChargeToken(sequence);
        _instruments.Generated(submission.AdapterLabel);
        if (finish != FinishReason.None)
        {
            _instruments.Answered(_time.GetElapsedTime(sequence.FirstTokenAt, now).TotalSeconds, sequence.GeneratedCount - 1);
            EndSequence(sequence);
        }
    }

    private void EndSequence(Sequence sequence)
    {
        _scheduler.End(sequence);
        if (sequence.Owner.EndSequence())
        {
            End(sequence.Owner, "completed");
            sequence.Owner.Complete();
        }
    }

    private void Fail(Submission submission, Exception reason)
    {
        if (!submission.State.IsEnded)
        {
            End(submission, Outcome(reason));
            submission.Fail(reason);
        }
    }

    private void End(Submission submission, string outcome)
    {
        submission.State.IsEnded = true;
        submission.State.Cancellation.Unregister();
        _scheduler.End(submission);
        _live.Remove(submission);
        LeaveQueue(submission);
        _instruments.Ended(submission.AdapterLabel, outcome);
        LogEnded(submission.Id, outcome, submission.State.GeneratedTokens);
        _leases.RemoveUser(submission.Adapters);
        lock (_entrance)
        {
            if (--_accepted == 0 && _isClosed)
            {
                _drained.TrySetResult();
            }
        }
    }

    private void OnAdmitted(Submission submission)
    {
        if (submission.State.IsQueued)
        {
            LeaveQueue(submission);
            _instruments.Began(submission.AdapterLabel, submission.PromptTokens, submission.State.CachedPromptTokens, _time.GetElapsedTime(submission.ArrivedAt).TotalSeconds);
        }
    }

    private void LeaveQueue(Submission submission)
    {
        if (submission.State.IsQueued)
        {
            submission.State.IsQueued = false;
            _queue.Leave(submission.Options.Tenant);
        }
    }

    private static string Outcome(Exception reason) => reason switch
    {
        OperationCanceledException => "cancelled",
        EngineException { Error: EngineError.DeadlineExceeded } => "deadline_exceeded",
        EngineException { Error: EngineError.ShuttingDown } => "shut_down",
        _ => "failed",
    };
}
