using System.Runtime.InteropServices;
using LoraServe.Models.Forward;
using LoraServe.Serving.Requests;

namespace LoraServe.Serving.Sampling;

/// <summary>Chooses tokens by what a device says of their logits, so that these need not cross to this machine. The choice is that of <see cref="Sampler"/>.</summary>
internal sealed class SummarySampler
{
    // With top-p or min-p alone, so many nearly always hold all that pass; where they do not, the row is read.
    private const int MostCandidates = 256;

    private readonly List<RowQuestion> _questions = [];
    private readonly List<int> _asked = [];
    private readonly RowAnswers _answers = new();

    /// <summary>Chooses what it can.</summary>
    /// <param name="logits">The step's.</param>
    /// <param name="vocabularySize">Tokens there are.</param>
    /// <param name="slots">What to choose; gets the choices.</param>
    /// <param name="left">Gets the numbers of the slots whose whole rows it takes to choose.</param>
    public void Run(IDeviceLogits logits, int vocabularySize, Span<SampleSlot> slots, List<int> left)
    {
        _questions.Clear();
        _asked.Clear();
        for (int i = 0; i < slots.Length; i++)
        {
            if (Question(slots[i], vocabularySize) is { } question)
            {
                _questions.Add(question);
                _asked.Add(i);
            }
            else
            {
                left.Add(i);
            }
        }

        if (_asked.Count == 0)
        {
            return;
        }

        logits.Answer(CollectionsMarshal.AsSpan(_questions), _answers);
        for (int i = 0; i < _asked.Count; i++)
        {
            if (!TryChoose(ref slots[_asked[i]], _questions[i], _answers, i, vocabularySize))
            {
                left.Add(_asked[i]);
            }
        }
    }

    /// <summary>What it takes to choose; null where that is the whole row.</summary>
    private static RowQuestion? Question(in SampleSlot slot, int vocabularySize)
    {
        SamplingOptions options = slot.Answer.Sampling.Options;
        if (slot.Answer.Sampling.AdjustsLogits)
        {
            return null;
        }

        int candidates = options.Temperature == 0 || !IsFiltered(options, vocabularySize) ? 1
            : options.TopK > 0 && options.TopK < vocabularySize ? options.TopK
            : MostCandidates;
        candidates = Math.Min(Math.Max(candidates, options.LogProbabilities ?? 0), vocabularySize);
        double random = options.Temperature == 0 ? 0 : Sampler.Random(slot.Answer);
        return candidates > MostCandidates ? null : new RowQuestion(slot.Row, candidates, options.Temperature, random);
    }

    private static bool IsFiltered(SamplingOptions options, int vocabularySize) =>
        (options.TopK > 0 && options.TopK < vocabularySize) || options.TopP < 1 || options.MinP > 0;

    private static bool TryChoose(ref SampleSlot slot, in RowQuestion question, RowAnswers answers, int number, int vocabularySize)
    {
        SamplingOptions options = slot.Answer.Sampling.Options;
        Span<float> logits = answers.Logits(number);
        Span<int> tokens = answers.Tokens(number);
        RowSummary summary = answers.Summary(number);
        (slot.Top, slot.LogProbability) = (null, float.NaN);
        if (!float.IsFinite(logits[0]))
        {
            slot.Token = -1;
            return true;
        }

        OrderTies(logits, tokens);
        float chosen = logits[0];
        slot.Token = tokens[0];
        if (options.Temperature > 0)
        {
            if (!IsFiltered(options, vocabularySize))
            {
                (slot.Token, chosen) = (summary.DrawnToken, summary.DrawnLogit);
            }
            else if (Draw(logits[..question.Greatest], summary.Mass, options, question.Random, vocabularySize) is >= 0 and int index)
            {
                (slot.Token, chosen) = (tokens[index], logits[index]);
            }
            else
            {
                return false;
            }
        }

        if (options.LogProbabilities is { } count)
        {
            slot.LogProbability = (float)(chosen - summary.LogSum);
            slot.Top = new TokenProbability[Math.Min(count, vocabularySize)];
            for (int i = 0; i < slot.Top.Length; i++)
            {
                slot.Top[i] = new TokenProbability(tokens[i], (float)(logits[i] - summary.LogSum));
            }
        }

        return true;
    }

    /// <summary>Which of the candidates is drawn; −1 where others than these might be.</summary>
    private static int Draw(ReadOnlySpan<float> logits, double mass, SamplingOptions options, double random, int vocabularySize)
    {
        Span<float> weights = stackalloc float[MostCandidates];
        int count = options.TopK > 0 ? Math.Min(options.TopK, logits.Length) : logits.Length;
        weights = weights[..count];
        for (int i = 0; i < count; i++)
        {
            weights[i] = MathF.Exp((logits[i] - logits[0]) / options.Temperature);
        }

        bool areAll = (options.TopK > 0 && options.TopK < vocabularySize) || count == vocabularySize;
        double total = options.TopK > 0 && options.TopK < vocabularySize ? Nucleus.Sum(weights) : mass;
        bool reachesTopP = options.TopP < 1 && Nucleus.Sum(weights) >= options.TopP * total;
        bool reachesMinP = options.MinP > 0 && weights[^1] < options.MinP;
        return areAll || reachesTopP || reachesMinP ? Nucleus.Draw(weights[..Nucleus.Count(weights, total, options)], random) : -1;
    }

    /// <summary>Equal logits by ascending token, as they are ordered everywhere.</summary>
    private static void OrderTies(Span<float> logits, Span<int> tokens)
    {
        for (int first = 0, end; first < logits.Length; first = end)
        {
            for (end = first + 1; end < logits.Length && logits[end] == logits[first]; end++)
            {
            }

            tokens[first..end].Sort();
        }
    }
}
