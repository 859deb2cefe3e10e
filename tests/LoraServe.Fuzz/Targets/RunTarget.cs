using System.Text;
using LoraServe.Fuzz.Seeds;
using LoraServe.Training.Reports;
using LoraServe.Training.Runs;

namespace LoraServe.Fuzz.Targets;

/// <summary>What a run of training leaves beside what it made: run.json and metrics.jsonl.</summary>
internal sealed class RunTarget : FuzzTarget
{
    public override string Name => "run";

    public override void Read(string folder)
    {
        _ = RunRecord.Read(folder);
        _ = MetricsLog.Read(Path.Combine(folder, MetricsLog.FileName));
        MetricsLog.Open(Path.Combine(folder, MetricsLog.FileName), lastStep: 1).Dispose();
    }

    protected override IEnumerable<Seed> MakeSeeds()
    {
        byte[] run = """
            {"settings": {"method": "lora", "rank": 8}, "files": ["adapter_config.json", "report.html"],
             "summary": {"name": "a", "model": "m", "method": "LoRA", "trainable_parameters": 5, "all_parameters": 100, "score": 0.5, "ranks": [], "training_time": "00:00:05"}}
            """u8.ToArray();
        string step = """{"step":1,"total_steps":2,"tokens":100,"loss":1.5,"learning_rate":0.001,"grad_norm":"NaN","tokens_per_s":3.5,"seconds_left":4,"eval_loss":0.5,"time":"2026-11-29T08:35:15Z"}""";
        yield return new Seed("run", Seed.Of("run", RunRecord.FileName, run).Files.Add(MetricsLog.FileName, Encoding.UTF8.GetBytes($"{step}\n{step.Replace("\"step\":1", "\"step\":2", StringComparison.Ordinal)}\n")));
    }
}
