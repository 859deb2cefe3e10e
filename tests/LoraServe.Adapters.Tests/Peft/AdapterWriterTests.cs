using System.Text.Json.Nodes;
using LoraServe.Adapters.Peft;
using LoraServe.Compute.Files;
using LoraServe.Compute.Tensors;
using LoraServe.Testing;

namespace LoraServe.Adapters.Tests.Peft;

public sealed class AdapterWriterTests
{
    private static readonly Tensor s_tensor = Tensor.FromFloats("prompt_embeddings", [1, 2, 3], 1, 3);

    [Fact]
    public void Write_NewDirectory_AppearsWholeAndLeavesNothingBeside()
    {
        using var folder = new TemporaryDirectory();
        AdapterWriter.Write(Path.Combine(folder.Path, "made") + Path.DirectorySeparatorChar, new JsonObject { ["peft_type"] = "PROMPT_TUNING" }, [s_tensor], "base");
        Assert.Equal(["made"], Directory.GetFileSystemEntries(folder.Path).Select(Path.GetFileName));
        Assert.Equal(["adapter_config.json", "adapter_model.safetensors"], Directory.GetFiles(Path.Combine(folder.Path, "made")).Select(Path.GetFileName).Order());
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(folder.Path, "made", "adapter_model.safetensors"));
        Assert.Equal(("pt", "base"), (file.Metadata["format"], file.Metadata["loraserve.base_fingerprint"]));
    }

    [Fact]
    public void Write_DirectoryWithOtherFiles_ReplacesItsOwnAndLeavesThem()
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(Path.Combine(folder.Path, "report.html"), "kept");
        File.WriteAllText(Path.Combine(folder.Path, "adapter_config.json"), "old");
        AdapterWriter.Write(folder.Path, new JsonObject { ["config"] = new JsonObject() }, [s_tensor]);
        Assert.Equal(["adapter.safetensors", "adapter_config.json", "report.html"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
        Assert.StartsWith("{", File.ReadAllText(Path.Combine(folder.Path, "adapter_config.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Write_TensorsOfOneName_LeavesNothing()
    {
        using var folder = new TemporaryDirectory();
        string directory = Path.Combine(folder.Path, "made");
        Assert.Throws<ArgumentException>(() => AdapterWriter.Write(directory, new JsonObject { ["peft_type"] = "X" }, [s_tensor, s_tensor]));
        Assert.Throws<ArgumentException>(() => AdapterWriter.Write(directory, new JsonObject { ["peft_type"] = "X" }, []));
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }
}
