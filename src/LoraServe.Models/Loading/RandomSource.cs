using System.Collections.Frozen;
using LoraServe.Adapters.Edits;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Architectures;
using LoraServe.Models.Config;
using LoraServe.Models.Spec;
using LoraServe.Models.Text;

namespace LoraServe.Models.Loading;

/// <summary>A model of a named shape with random weights in bfloat16, where no files are.</summary>
/// <remarks>
/// All matrices are views of one stretch of noise little longer than the largest of them, each from another place on, so that a device
/// loads any size by its ordinary path while this machine holds a part of it: 0.26 of 13.5 GB for <c>llama-7b</c>.
/// </remarks>
internal static class RandomSource
{
    // Odd, so that no two matrices' rows of any usual width begin at the same value.
    private const long Stride = 8209;

    public static ModelSource Open(string name, TransformerSpec spec, int seed)
    {
        Architecture architecture = Architecture.All.Single(known => known.Name == spec.Architecture);
        ParameterNames names = architecture.HuggingFaceNames;
        Site[] sites = [.. spec.StoredSites];
        long largest = sites.Max(site => (long)spec.Shape(site.Role).Outputs * spec.Shape(site.Role).Inputs);
        NativeBuffer noise = Noise(largest + (Stride * sites.Length), seed);
        Dictionary<string, Tensor> tensors = [];
        for (int i = 0; i < sites.Length; i++)
        {
            string weight = $"{names.Of(sites[i])}.weight";
            (int outputs, int inputs) = spec.Shape(sites[i].Role);
            tensors[weight] = Tensor.Over(weight, ElementType.BF16, noise, i * Stride * sizeof(ushort), outputs, inputs);
        }

        foreach (NormSite site in spec.Sites.Norms)
        {
            string weight = $"{names.Of(site)}.weight";
            float[] gains = [.. Enumerable.Repeat(1 - spec.GainOffset, spec.NormWidth(site.Role))];
            tensors[weight] = Tensor.OverFloats(weight, gains, gains.Length);
        }

        return new ModelSource(name, $"random:{name}", architecture, spec, noise)
        {
            Names = names,
            FindTensor = tensors.ToFrozenDictionary().GetValueOrDefault,
            Text = new ModelText(name),
        };
    }

    /// <summary>bfloat16 values from ±1/64 to ±1/32, whose root mean square is near the 0.02 that models are begun with.</summary>
    private static unsafe NativeBuffer Noise(long count, int seed)
    {
        const ulong SignsAndMantissas = 0x807F_807F_807F_807F;
        const ulong Exponents = 0x3C80_3C80_3C80_3C80;
        var buffer = new NativeBuffer((count * sizeof(ushort) / sizeof(ulong) + 1) * sizeof(ulong));
        var values = (ulong*)buffer.Pointer;
        ulong state = (ulong)seed;
        for (long i = 0; i < buffer.ByteLength / sizeof(ulong); i++)
        {
            // SplitMix64 (Steele, Lea, Flood 2014).
            state += 0x9E3779B97F4A7C15;
            ulong z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            values[i] = ((z ^ (z >> 31)) & SignsAndMantissas) | Exponents;
        }

        return buffer;
    }
}
