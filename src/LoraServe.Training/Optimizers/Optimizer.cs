using LoraServe.Adapters.Gradients;
using LoraServe.Compute.Workers;

namespace LoraServe.Training.Optimizers;

/// <summary>Updates parameters by their gradients and keeps what its rule remembers of each.</summary>
/// <remarks>
/// The same calls give the same bits on every machine: sums have a fixed order and nothing is contracted.
/// What is remembered is kept by the parameters' names and begins with zeros when a name is first seen.
/// </remarks>
internal sealed class Optimizer
{
    private readonly UpdateRule _rule;
    private readonly Dictionary<string, float[][]> _slots = new(StringComparer.Ordinal);
    private readonly Dictionary<string, float[]> _state = new(StringComparer.Ordinal);

    /// <summary>Makes one that remembers nothing yet.</summary>
    /// <exception cref="ArgumentException">A constant is out of its range.</exception>
    public Optimizer(OptimizerOptions options)
    {
        CheckShare(options.Beta1, nameof(options.Beta1));
        CheckShare(options.Beta2, nameof(options.Beta2));
        CheckShare(options.Momentum, nameof(options.Momentum));
        Check(options.Epsilon is null or >= 0 and < double.PositiveInfinity, nameof(options.Epsilon), options.Epsilon, "a finite value from 0");
        Check(options.WeightDecay is >= 0 and < double.PositiveInfinity, nameof(options.WeightDecay), options.WeightDecay, "a finite value from 0");
        Check(options.DecayExponent is > double.NegativeInfinity and < 0, nameof(options.DecayExponent), options.DecayExponent, "a value below 0");
        Check(options.ClipThreshold > 0, nameof(options.ClipThreshold), options.ClipThreshold, "a value above 0");
        _rule = options.Kind switch
        {
            OptimizerKind.AdamW => new AdamW(options),
            OptimizerKind.Sgd => new Sgd(options),
            OptimizerKind.Lion => new Lion(options),
            OptimizerKind.Adafactor => new Adafactor(options),
            _ => throw new ArgumentException($"{options.Kind} is no optimizer.", nameof(options)),
        };
    }

    /// <summary>Everything remembered, for a checkpoint: live arrays called <c>parameter.slot</c>.</summary>
    public IReadOnlyDictionary<string, float[]> State => _state;

    /// <summary>Replaces everything remembered by copies of what <see cref="State"/> of an optimizer of this kind had.</summary>
    /// <remarks>A parameter's arrays are checked against it when it is next updated.</remarks>
    public void Restore(IReadOnlyDictionary<string, float[]> state)
    {
        _slots.Clear();
        _state.Clear();
        foreach ((string name, float[] values) in state)
        {
            _state.Add(name, [.. values]);
        }
    }

    /// <summary>Updates every parameter once.</summary>
    /// <param name="parameters">With the gradients of this step.</param>
    /// <param name="rate">The learning rate; each parameter's factor multiplies it.</param>
    /// <param name="pool">The workers; null for the calling thread alone.</param>
    /// <exception cref="InvalidDataException">What is remembered of a parameter has another size than the parameter.</exception>
    public void Step(IReadOnlyList<Parameter> parameters, double rate, WorkerPool? pool = null)
    {
        for (int i = 0; i < parameters.Count; i++)
        {
            Remember(parameters[i]);
        }

        ParameterLoop.Run(parameters, pool, new UpdateKernel(_rule, _slots, parameters, rate));
    }

    /// <summary>Remembers of a parameter's old entries what it did, and zeros of those that a parameter of the same name has beyond them.</summary>
    /// <param name="from">The parameter as it was: a matrix, or a vector.</param>
    /// <param name="to">With as many rows and columns, or more.</param>
    public void Grow(Parameter from, Parameter to)
    {
        foreach ((UpdateSlot before, UpdateSlot after) in _rule.SlotsOf(from).Zip(_rule.SlotsOf(to)))
        {
            string name = $"{from.Name}.{before.Name}";
            if (before.Length == after.Length || !_state.TryGetValue(name, out float[]? values))
            {
                continue;
            }

            // A slot is as large as the parameter, or has a value for each row or each column.
            float[] grown = _state[name] = new float[after.Length];
            bool isWhole = before.Length == from.Values.Length && after.Length == to.Values.Length;
            (int columns, int grownColumns) = isWhole ? (from.Shape[^1], to.Shape[^1]) : (values.Length, grown.Length);
            for (int row = 0; row < values.Length / columns; row++)
            {
                values.AsSpan(row * columns, columns).CopyTo(grown.AsSpan(row * grownColumns));
            }
        }

        _slots.Remove(from.Name);
    }

    /// <summary>Has the parameter's arrays among the slots.</summary>
    private void Remember(Parameter parameter)
    {
        if (_slots.ContainsKey(parameter.Name))
        {
            return;
        }

        IReadOnlyList<UpdateSlot> layout = _rule.SlotsOf(parameter);
        float[][] slots = new float[layout.Count][];
        for (int i = 0; i < slots.Length; i++)
        {
            string name = $"{parameter.Name}.{layout[i].Name}";
            if (!_state.TryGetValue(name, out float[]? values))
            {
                _state.Add(name, values = new float[layout[i].Length]);
            }
            else if (values.Length != layout[i].Length)
            {
                throw new InvalidDataException($"The optimizer's {name} has {values.Length} values; expected {layout[i].Length} for [{string.Join(", ", parameter.Shape)}].");
            }

            slots[i] = values;
        }

        _slots.Add(parameter.Name, slots);
    }

    private readonly struct UpdateKernel(UpdateRule rule, Dictionary<string, float[][]> slots, IReadOnlyList<Parameter> parameters, double rate) : IParameterKernel
    {
        public void Run(int index) => rule.Update(parameters[index], rate * parameters[index].RateFactor, slots[parameters[index].Name]);
    }

    private static void CheckShare(double? value, string name) => Check(value is null or >= 0 and < 1, name, value, "a value from 0 to below 1");

    private static void Check(bool holds, string name, double? value, string expected)
    {
        if (!holds)
        {
            throw new ArgumentException(FormattableString.Invariant($"{name} is {value}; expected {expected}."));
        }
    }
}
