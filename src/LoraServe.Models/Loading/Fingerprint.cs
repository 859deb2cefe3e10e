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

    private static string Describe(TransformerSpec spec)
    {
        float[] frequencies = new float[spec.HeadSize / 2];
        spec.Rope.InverseFrequencies(spec.ContextLength, frequencies);
        return string.Create(CultureInfo.InvariantCulture, $"""
            {spec.Architecture} {spec.LayerCount} {spec.Width} {spec.QueryHeads} {spec.KeyValueHeads} {spec.HeadSize}
            {spec.FeedForwardWidth} {spec.VocabularySize} {spec.NormEpsilon} {spec.TiedHead} {spec.Rope.AttentionFactor}
            {string.Join(' ', spec.Windows)} {string.Join(' ', spec.Biases)} {Convert.ToHexString(MemoryMarshal.AsBytes<float>(frequencies))}
            """);
    }
}
