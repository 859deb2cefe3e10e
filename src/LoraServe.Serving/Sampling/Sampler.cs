using System.Numerics.Tensors;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;
using LoraServe.Grammars.Rules;
using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Sampling;

/// <summary>Chooses the next token of each answer. What a sequence gets depends on its own logits, tokens and seed alone.</summary>
internal sealed class Sampler : IDisposable
{
    private readonly WorkerPool _pool;
    private readonly SamplerScratch[] _scratch;
    private readonly SummarySampler _bySummary = new();
    private readonly List<int> _left = [];
    private readonly int _vocabularySize;

    public Sampler(WorkerPool pool, int vocabularySize)
    {
        (_pool, _vocabularySize) = (pool, vocabularySize);
        _scratch = [.. Enumerable.Range(0, pool.WorkerCount).Select(_ => new SamplerScratch(vocabularySize))];
    }

    /// <summary>Chooses all tokens of a step, slots shared out over the workers.</summary>
    /// <param name="logits">The step's logits, [rows, V]; not changed.</param>
    /// <param name="slots">What to choose; gets the choices.</param>
    public void Run(StepLogits logits, Span<SampleSlot> slots)
    {
        if (logits.OnDevice is not { } device)
        {
            var all = new Job(_scratch, logits.Rows, slots);
            _pool.Run(ref all);
            return;
        }

        _left.Clear();
        _bySummary.Run(device, _vocabularySize, slots, _left);
        if (_left.Count > 0)
        {
            ChooseByRows(device, slots);
        }
    }

    /// <summary>The random number that decides an answer's next token.</summary>
    internal static double Random(IAnswer answer) => CounterRandom.Draw(answer.Sampling.Seed, answer.Choice, answer.GeneratedCount);

    public void Dispose()
    {
        foreach (SamplerScratch scratch in _scratch)
        {
            scratch.Dispose();
        }
    }

    /// <summary>The log of the sum of exponentials, summed in one fixed order.</summary>
    internal static double LogSumExp(ReadOnlySpan<float> logits, Span<float> scratch)
    {
        float max = TensorPrimitives.Max(logits);
        TensorPrimitives.Subtract(logits, max, scratch);
        TensorPrimitives.Exp(scratch, scratch);
        return max + Math.Log(Sum(scratch));
    }

    private static void Choose(ref SampleSlot slot, ReadOnlySpan<float> logits, SamplerScratch scratch)
    {
        IAnswer answer = slot.Answer;
        SamplingOptions options = answer.Sampling.Options;
        slot.Top = null;
        slot.LogProbability = float.NaN;
        slot.Failure = null;
        ReadOnlySpan<float> adjusted = logits;
        try
        {
            adjusted = answer.Sampling.AdjustsLogits ? Adjust(answer, logits, scratch) : logits;
        }
        catch (GrammarException error)
        {
            (slot.Token, slot.Failure) = (-1, error.Message);
            return;
        }

        int best = TensorPrimitives.IndexOfMax(adjusted);
        if (!float.IsFinite(adjusted[best]))
        {
            slot.Token = -1;
            slot.Failure = answer.Matcher is not null && float.IsNegativeInfinity(adjusted[best]) && float.IsFinite(TensorPrimitives.Max(logits))
                ? "No token of the model's can come next by the constraint, which does not let the answer end here either."
                : null;
            return;
        }

        slot.Token = options.Temperature == 0
            ? best
            : Draw(adjusted, adjusted[best], options, Random(answer), scratch);
        if (options.LogProbabilities is { } count)
        {
            double logSum = LogSumExp(logits, scratch.Weights);
            slot.LogProbability = (float)(logits[slot.Token] - logSum);
            slot.Top = Candidates.MostLikely(logits, logSum, count);
        }
    }

    private static Span<float> Adjust(IAnswer answer, ReadOnlySpan<float> logits, SamplerScratch scratch)
    {
        SamplingPlan plan = answer.Sampling;
        SamplingOptions options = plan.Options;
        Span<float> adjusted = scratch.Logits;
        logits.CopyTo(adjusted);
        if (options.RepetitionPenalty != 1)
        {
            scratch.ForgetSeen();
            foreach (int token in answer.Tokens[answer.VirtualRows..])
            {
                if (scratch.See(token))
                {
                    adjusted[token] = adjusted[token] > 0 ? adjusted[token] / options.RepetitionPenalty : adjusted[token] * options.RepetitionPenalty;
                }
            }
        }

        if (options.PresencePenalty != 0 || options.FrequencyPenalty != 0)
        {
            scratch.ForgetSeen();
            foreach (int token in answer.Tokens[answer.PromptLength..])
            {
                adjusted[token] -= options.FrequencyPenalty + (scratch.See(token) ? options.PresencePenalty : 0);
            }
        }

        foreach ((int token, float bias) in plan.Bias)
        {
            adjusted[token] += bias;
        }

        if (answer.GeneratedCount < options.MinTokens)
        {
            foreach (int token in plan.EndTokens)
            {
                adjusted[token] = float.NegativeInfinity;
            }
        }

        if (answer.Matcher is { } matcher)
        {
            ConstrainedLogits.Mask(matcher, plan.EndTokens, adjusted);
        }

        return adjusted;
    }

    private static int Draw(ReadOnlySpan<float> logits, float max, SamplingOptions options, double random, SamplerScratch scratch)
    {
        // The greatest becomes 0 before the division, so that no temperature can overflow.
        Span<float> scaled = scratch.Logits;
        TensorPrimitives.Subtract(logits, max, scaled);
        TensorPrimitives.Divide(scaled, options.Temperature, scaled);
        Span<float> weights = scratch.Weights;
        TensorPrimitives.Exp<float>(scaled, weights);
        bool filtered = (options.TopK > 0 && options.TopK < weights.Length) || options.TopP < 1 || options.MinP > 0;
        return filtered ? DrawFiltered(scaled, weights, options, random, scratch.Order) : DrawAny(weights, random);
    }

    private static int DrawAny(ReadOnlySpan<float> weights, double random)
    {
        double left = random * Sum(weights);
        int last = 0;
        for (int token = 0; token < weights.Length; token++)
        {
            if (weights[token] > 0)
            {
                last = token;
                left -= weights[token];
                if (left < 0)
                {
                    break;
                }
            }
        }

        return last;
    }

    private static int DrawFiltered(Span<float> scaled, ReadOnlySpan<float> weights, SamplingOptions options, double random, Span<ulong> order)
    {
        int count;
        double total;
        if (options.TopK > 0 && options.TopK < scaled.Length)
        {
            count = options.TopK;
            Candidates.SortTop(scaled, count, order);
            total = Sum(weights, order[..count]);
        }
        else
        {
            // Few tokens hold nearly all of the probability: sort only those near the top, more when they do not suffice.
            total = Sum(weights);
            float least = options.TopP < 1 ? -8 : MathF.Log(options.MinP) - 1;
            count = Candidates.Sort(scaled, least, order);
            while (options.TopP < 1 && Sum(weights, order[..count]) < options.TopP * total && least > float.NegativeInfinity)
            {
                least = least < -60 ? float.NegativeInfinity : least * 2;
                count = Candidates.Sort(scaled, least, order);
            }
        }

        // What was sorted by is not needed any more.
        Span<float> ordered = scaled[..count];
        for (int i = 0; i < count; i++)
        {
            ordered[i] = weights[Candidates.Token(order[i])];
        }

        return Candidates.Token(order[Nucleus.Draw(ordered[..Nucleus.Count(ordered, total, options)], random)]);
    }

    // Four double sums, so that the order is fixed and the additions do not wait for each other.
    private static double Sum(ReadOnlySpan<float> values)
    {
        double a = 0, b = 0, c = 0, d = 0;
        int i = 0;
        for (; i + 4 <= values.Length; i += 4)
        {
            a += values[i];
            b += values[i + 1];
            c += values[i + 2];
            d += values[i + 3];
        }

        for (; i < values.Length; i++)
        {
            a += values[i];
        }

        return a + b + (c + d);
    }

    private static double Sum(ReadOnlySpan<float> weights, ReadOnlySpan<ulong> order)
    {
        double sum = 0;
        foreach (ulong packed in order)
        {
            sum += weights[Candidates.Token(packed)];
        }

        return sum;
    }

    /// <summary>Brings the rows over that it takes, and chooses as if they had been here.</summary>
    private void ChooseByRows(IDeviceLogits device, Span<SampleSlot> slots)
    {
        int[] rows = new int[_left.Count];
        var left = new SampleSlot[_left.Count];
        for (int i = 0; i < left.Length; i++)
        {
            left[i] = slots[_left[i]];
            (rows[i], left[i].Row) = (left[i].Row, i);
        }

        var job = new Job(_scratch, device.Gather(rows), left);
        _pool.Run(ref job);
        for (int i = 0; i < left.Length; i++)
        {
            slots[_left[i]] = left[i] with { Row = rows[i] };
        }
    }

    private readonly ref struct Job(SamplerScratch[] scratch, Rows logits, Span<SampleSlot> slots) : IParallelJob
    {
        private readonly Span<SampleSlot> _slots = slots;

        public void Run(int worker, int workerCount)
        {
            for (int i = worker; i < _slots.Length; i += workerCount)
            {
                Choose(ref _slots[i], logits.Span(_slots[i].Row), scratch[worker]);
            }
        }
    }
}
