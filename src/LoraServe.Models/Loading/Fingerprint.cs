using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LoraServe.Compute.Tensors;
using LoraServe.Models.Spec;

namespace LoraServe.Models.Loading;

/// <summary>Tells one base model from another: SHA-256 over its spec and, for each tensor, name, type, shape and a sample of its bytes.</summary>
/// <remarks>The sample is the tensor's first, middle and last 4 KiB: cheap for any size of model, and every training step changes it.</remarks>
internal static unsafe class Fingerprint
{
    private const int SampleBytes = 4096;

    public static string Of(TransformerSpec spec, IEnumerable<Tensor> tensors)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(Describe(spec)));
        foreach (Tensor tensor in tensors.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"\n{tensor}\n"));
            long last = Math.Max(0, tensor.ByteLength - SampleBytes);
            foreach (long offset in (ReadOnlySpan<long>)[0, last / 2, last])
            {
                hash.AppendData(new ReadOnlySpan<byte>((byte*)tensor.Data + offset, (int)Math.Min(SampleBytes, tensor.ByteLength)));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Whether two specs say the same model, but for the rounding of ropes that two forms of files say in other numbers.</summary>
    public static bool SaySame(TransformerSpec first, TransformerSpec second)
    {
        const float Rounding = 1e-6f;
        float[] plain = [];
        return Describe(first, plain) == Describe(second, plain)
            && Frequencies(first, first.Rope).Zip(Frequencies(second, second.Rope)).All(pair => MathF.Abs(pair.First - pair.Second) <= Rounding * pair.First);
    }

    private static string Describe(TransformerSpec spec) => Describe(spec, Frequencies(spec, spec.Rope));

    private static string Describe(TransformerSpec spec, float[] frequencies)
    {
        string common = string.Create(CultureInfo.InvariantCulture, $"""
            {spec.Architecture} {spec.LayerCount} {spec.Width} {spec.QueryHeads} {spec.KeyValueHeads} {spec.HeadSize}
            {spec.FeedForwardWidth} {spec.VocabularySize} {spec.NormEpsilon} {spec.TiedHead} {spec.Rope.AttentionFactor}
            {string.Join(' ', spec.Windows)} {string.Join(' ', spec.Biases)} {Convert.ToHexString(MemoryMarshal.AsBytes<float>(frequencies))}
            """);

        // What Llama's shape has not is said beside it, so that models that have nothing of it keep their names.
        string own = string.Create(CultureInfo.InvariantCulture, $"""
            {(spec.WindowRope is { } local ? Convert.ToHexString(MemoryMarshal.AsBytes<float>(Frequencies(spec, local))) : "")} {string.Join(' ', spec.Unrotated)} {spec.Rope.Size}
            {string.Join(' ', spec.Linears)} {spec.Experts} {string.Join(' ', spec.Experts?.DenseLayers ?? [])} {string.Join(' ', spec.LayerNorms)} {spec.CentresNorms} {spec.GainOffset}
            {spec.NormsHeadsTogether} {spec.AddsInParallel} {spec.MlpActivation} {spec.QueryScale} {spec.EmbeddingScale} {spec.ResidualScale} {spec.LogitScale} {spec.LogitCap} {spec.ScoreCap}
            """);
        return spec.Architecture is "llama" or "qwen2" ? common : $"{common}\n{own}";
    }

    private static float[] Frequencies(TransformerSpec spec, RopeSpec rope)
    {
        float[] frequencies = new float[rope.Turned(spec.HeadSize) / 2];
        rope.InverseFrequencies(spec.ContextLength, frequencies);
        return frequencies;
    }
}
