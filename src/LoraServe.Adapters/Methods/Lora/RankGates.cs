using System.Numerics;
using System.Numerics.Tensors;
using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>A gate g for each rank-one term, learned with the adapter: ΔW = s·B·diag(g)·A. Closed gates are pruned at the end, and what is left is the rank.</summary>
/// <remarks>
/// A step: <see cref="Sample"/> gives gates from their parameters, <see cref="Apply"/> the A′ = diag(g)·A that the forward pass
/// takes; backward, <see cref="Pull"/> takes the gradient of A′ to A and to the gates, whose slopes take it on to the
/// parameters, where <see cref="AddPenalty"/> adds its own.
/// </remarks>
/// <param name="penalty">Which gates.</param>
/// <param name="strength">λ, the factor of the penalty in the loss.</param>
/// <typeparam name="T">Float to train; double to check derivatives.</typeparam>
public sealed class RankGates<T>(GatePenalty penalty, T strength)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    // The constants of Louizos, Welling and Kingma, section 4: temperature and the interval that is clipped to 0…1.
    private static readonly T s_temperature = T.CreateChecked(2.0 / 3);
    private static readonly T s_low = T.CreateChecked(-0.1);
    private static readonly T s_high = T.CreateChecked(1.1);

    /// <summary>The parameter to start from: a gate that is open (L1: 1; hard concrete: log α = 2.5, which is open nearly always).</summary>
    public T Start => penalty == GatePenalty.L1 ? T.One : T.CreateChecked(2.5);

    /// <summary>Gates while training, with noise where they are hard concrete.</summary>
    /// <param name="parameters">One for each term.</param>
    /// <param name="seed">Of the run.</param>
    /// <param name="step">Of the run; seed and step give the same noise on every machine.</param>
    /// <param name="gates">Receives the gates.</param>
    /// <param name="slopes">Receives the derivative of each gate by its parameter.</param>
    public void Sample(ReadOnlySpan<T> parameters, ulong seed, ulong step, Span<T> gates, Span<T> slopes)
    {
        for (int k = 0; k < parameters.Length; k++)
        {
            (gates[k], slopes[k]) = penalty == GatePenalty.L1 ? (parameters[k], T.One) : Concrete(parameters[k], Uniform(seed, step, k));
        }
    }

    /// <summary>Gates without noise: for evaluation and for the adapter that is saved.</summary>
    /// <param name="parameters">One for each term.</param>
    /// <param name="gates">Receives the gates.</param>
    public void Rest(ReadOnlySpan<T> parameters, Span<T> gates)
    {
        for (int k = 0; k < parameters.Length; k++)
        {
            gates[k] = penalty == GatePenalty.L1 ? parameters[k] : T.Clamp(Stretched(Sigmoid(parameters[k])), T.Zero, T.One);
        }
    }

    /// <summary>Gives the penalty, λ·Σ|g| or λ times the expected number of open gates, and adds its derivatives.</summary>
    /// <param name="parameters">One for each term.</param>
    /// <param name="gradient">Is added to.</param>
    public T AddPenalty(ReadOnlySpan<T> parameters, Span<T> gradient)
    {
        // P(g ≠ 0) = sigmoid(log α − temperature · log(−low / high)).
        T shift = s_temperature * T.Log(-s_low / s_high);
        T sum = T.Zero;
        for (int k = 0; k < parameters.Length; k++)
        {
            if (penalty == GatePenalty.L1)
            {
                sum += T.Abs(parameters[k]);
                gradient[k] += parameters[k] == T.Zero ? T.Zero : T.CopySign(strength, parameters[k]);
            }
            else
            {
                T open = Sigmoid(parameters[k] - shift);
                sum += open;
                gradient[k] += strength * open * (T.One - open);
            }
        }

        return strength * sum;
    }

    /// <summary>A′ = diag(g)·A.</summary>
    /// <param name="gates">One for each row.</param>
    /// <param name="a">A, [rank, inputs], row after row.</param>
    /// <param name="gated">Receives A′; may be the same memory.</param>
    public static void Apply(ReadOnlySpan<T> gates, ReadOnlySpan<T> a, Span<T> gated)
    {
        int inputs = a.Length / gates.Length;
        for (int k = 0; k < gates.Length; k++)
        {
            TensorPrimitives.Multiply(a.Slice(k * inputs, inputs), gates[k], gated.Slice(k * inputs, inputs));
        }
    }

    /// <summary>Takes the gradient of A′ to A and to the gates' parameters: dA[k] += g[k]·dA′[k], dp[k] += slope[k]·⟨dA′[k], A[k]⟩.</summary>
    /// <param name="gates">As <see cref="Sample"/> gave them.</param>
    /// <param name="slopes">As <see cref="Sample"/> gave them.</param>
    /// <param name="a">A, [rank, inputs].</param>
    /// <param name="gatedGradient">Gradient of A′, [rank, inputs].</param>
    /// <param name="aGradient">Is added to, [rank, inputs].</param>
    /// <param name="gradient">Of the parameters; is added to.</param>
    public static void Pull(ReadOnlySpan<T> gates, ReadOnlySpan<T> slopes, ReadOnlySpan<T> a, ReadOnlySpan<T> gatedGradient, Span<T> aGradient, Span<T> gradient)
    {
        int inputs = a.Length / gates.Length;
        for (int k = 0; k < gates.Length; k++)
        {
            ReadOnlySpan<T> incoming = gatedGradient.Slice(k * inputs, inputs);
            Span<T> outgoing = aGradient.Slice(k * inputs, inputs);
            gradient[k] += slopes[k] * TensorPrimitives.Dot(incoming, a.Slice(k * inputs, inputs));
            TensorPrimitives.MultiplyAdd(incoming, gates[k], outgoing, outgoing);
        }
    }

    /// <summary>u in (0, 1) → the gate and its derivative by log α.</summary>
    private static (T Gate, T Slope) Concrete(T logAlpha, T uniform)
    {
        T open = Sigmoid((T.Log(uniform) - T.Log(T.One - uniform) + logAlpha) / s_temperature);
        T stretched = Stretched(open);
        return stretched <= T.Zero ? (T.Zero, T.Zero)
            : stretched >= T.One ? (T.One, T.Zero)
            : (stretched, (s_high - s_low) * open * (T.One - open) / s_temperature);
    }

    private static T Stretched(T open) => (open * (s_high - s_low)) + s_low;

    private static T Sigmoid(T x) => T.One / (T.One + T.Exp(-x));

    /// <summary>SplitMix64 (Steele, Lea and Flood, 2014) of seed, step and term; 23 bits, so that float too is never 0 or 1.</summary>
    private static T Uniform(ulong seed, ulong step, int term)
    {
        ulong z = Mix(Mix(Mix(seed) + step) + (uint)term);
        return T.CreateChecked(((z >> 41) + 0.5) / (1 << 23));

        static ulong Mix(ulong z)
        {
            z += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
