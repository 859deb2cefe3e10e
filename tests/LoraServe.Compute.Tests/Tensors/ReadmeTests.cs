using LoraServe.Compute.Matrices;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Compute.Tests.Tensors;

/// <summary>What README says of weight types is what there is.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void WeightTypes_AreThoseOfTheTable() => ReadmeTable.Check(
        "weight types",
        ["type", "exact", "fast", "write"],
        StoredFormats.All.Where(format => format.IsWeight).Select(format => (string[])[$"{format.Type}", Exact(format), Fast(format), Write(format)]));

    private static string Exact(StoredFormat format) =>
        PanelLayout.Holding(format).Format == PanelFormat.F32 && format.Type != ElementType.F32 ? "widened to F32" : "yes, at its size";

    private static string Fast(StoredFormat format) => PanelLayout.Holding(format).IsInteger ? "yes, in integers" : "no: as exact, no integers to multiply";

    private static string Write(StoredFormat format) =>
        format.Encode is null ? "no: read only" : format.Type.BlockElements() == 1 ? "GGUF, safetensors" : "GGUF";
}
