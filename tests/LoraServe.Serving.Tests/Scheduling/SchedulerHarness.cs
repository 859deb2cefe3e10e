using System.Runtime.InteropServices;
using LoraServe.Compute.Memory;
using LoraServe.Models.Forward;
using LoraServe.Serving.Cache;
using LoraServe.Serving.Metrics;
using LoraServe.Serving.Requests;
using LoraServe.Serving.Sampling;
using LoraServe.Serving.Scheduling;
using LoraServe.Serving.Store.Versions;

namespace LoraServe.Serving.Tests.Scheduling;

/// <summary>Plans, runs and commits steps over a <see cref="FakeRunner"/>, with greedy choices, on the test's own thread.</summary>
internal sealed class SchedulerHarness : IDisposable
{
    public const int Vocabulary = FakeRunner.Poison;

    private readonly FakeRunner _runner;
    private readonly IAdapterLeases _leases;
    private readonly StepPlan _plan = new();

    public SchedulerHarness(int pageCount, SchedulerLimits limits, bool prefixCache = true, Dictionary<string, double>? weights = null, IAdapterLeases? leases = null)
    {
        _runner = new FakeRunner(pageCount, Vocabulary);
        _leases = leases ?? new NoLeases();
        Scheduler = new Scheduler(limits, _leases, weights ?? [], pageCount, prefixCache) { Refused = (_, reason) => throw reason };
    }

    public Scheduler Scheduler { get; }

    public StepPlan Plan => _plan;

    /// <summary>Managed bytes that the last step's planning allocated.</summary>
    public long PlanningAllocated { get; private set; }

    public static GenerationSubmission Request(
        int[] prompt, int maxTokens, int choices = 1, string tenant = "", int priority = 0, AdapterStack? adapters = null, long arrivedAt = 0)
    {
        adapters ??= AdapterStack.Empty;
        var sampling = new SamplingPlan(new SamplingOptions { Choices = choices }, [], Vocabulary, seed: 1, maxTokens);
        var request = new GenerationRequest { Principal = new Principal(tenant, IsAdmin: false), Priority = priority };
        var terms = new SubmissionTerms(
            request,
            adapters,
            new int[adapters.Count],
            new AdapterLabel("", IsOwned: false),
            new PageSalts(0, int.MaxValue, 0, 0),
            LengthFreeContext: int.MaxValue,
            TurnsAnewBeyond: int.MaxValue,
            arrivedAt,
            CancellationToken.None);
        return new GenerationSubmission(terms, prompt, sampling, codec: null, visible: new HashSet<int>(), echo: null);
    }

    public static int[] Expected(int[] prompt, int count)
    {
        List<int> tokens = [.. prompt];
        for (int i = 0; i < count; i++)
        {
            tokens.Add(FakeRunner.Next(tokens, Vocabulary));
        }

        return [.. tokens];
    }

    /// <summary>Runs one step; false when there was nothing to do.</summary>
    public bool Step(long now = 0)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Scheduler.Plan(_plan, now);
        PlanningAllocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Scheduler.CheckIntegrity();
        foreach ((int from, int to) in _plan.Copies)
        {
            _runner.CopyPage(from, to);
        }

        if (_plan.IsEmpty)
        {
            return false;
        }

        Rows logits = _runner.Forward(_plan.Batch).Rows;
        foreach (StepEntry entry in _plan.Entries.ToArray())
        {
            Scheduler.Advance(entry);
            if (entry.Chunk.Output == SegmentOutput.LastLogits)
            {
                Accept((GenerationSequence)entry.Sequence, logits.Span(_plan.Batch.Segments[entry.Segment].FirstOutput));
            }
        }

        Scheduler.CheckIntegrity();
        return true;
    }

    public void Dispose() => _runner.Dispose();

    private void Accept(GenerationSequence sequence, ReadOnlySpan<float> logits)
    {
        int token = logits.IndexOf(5f);
        int choices = sequence.UnforkedChoices;
        List<GenerationSequence> all = [sequence];
        for (int choice = 1; choice < choices; choice++)
        {
            all.Add(Scheduler.Fork(sequence, choice));
        }

        foreach (GenerationSequence each in CollectionsMarshal.AsSpan(all))
        {
            Scheduler.ChargeToken(each);
            if (each.Accept(new SampleSlot { Answer = each, Token = token }) != FinishReason.None)
            {
                Scheduler.End(each);
                if (each.Owner.EndSequence())
                {
                    Scheduler.End(each.Owner);
                    each.Owner.State.IsEnded = true;
                    _leases.RemoveUser(each.Owner.Adapters);
                }
            }
        }
    }
}
