using System.Text.Json.Nodes;
using LoraServe.Fuzz.Seeds;
using LoraServe.Training.Checkpoints;

namespace LoraServe.Fuzz.Targets;

/// <summary>Checkpoints of runs.</summary>
internal sealed class CheckpointTarget : FuzzTarget
{
    private const string FileName = "step-000000003.safetensors";

    public override string Name => "checkpoint";

    public override void Read(string folder) => CheckpointFile.Read(Path.Combine(folder, FileName));

    protected override IEnumerable<Seed> MakeSeeds()
    {
        using var stream = new MemoryStream();
        CheckpointFile.Write(stream, new Checkpoint(3, new JsonObject { ["best"] = 0.5, ["rows"] = new JsonArray(1, 2) }, new Dictionary<string, float[]> { ["a"] = [1, 2, 3], ["b"] = [float.NaN] }));
        yield return Seed.Of("checkpoint", FileName, stream.ToArray());
    }
}
