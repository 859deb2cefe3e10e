namespace LoraServe.Adapters.Peft;

/// <summary>Tells fields that other trainers add to <c>adapter_config.json</c> for themselves from those that may be a part of a method.</summary>
/// <remarks>PEFT passes over whatever it does not know. Here only what is recognised as saying nothing of the result: the rest is refused by name.</remarks>
internal static class ForeignSettings
{
    // Any of these words among a name's makes it one of training, or of keeping books.
    private static readonly HashSet<string> s_training = new(StringComparer.OrdinalIgnoreCase)
    {
        "lr", "learning", "optim", "optimizer", "optimizers", "scheduler", "warmup", "decay", "wd", "momentum", "betas", "beta1", "beta2", "lorap", "loraplus", "galore",
        "train", "training", "trained", "trainer", "trainable", "finetune", "finetuning", "finetuned", "epoch", "epochs", "step", "steps", "iters", "batch", "seed", "grad", "gradient", "gradients",
        "checkpoint", "checkpoints", "checkpointing", "resume", "save", "saved", "log", "logging", "report", "eval", "evaluation", "metric", "metrics", "loss", "early", "patience",
        "dataset", "datasets", "data", "dropout", "dtype", "precision", "fp16", "bf16", "fp32", "device", "deepspeed", "fsdp", "ddp", "accelerate", "distributed", "world", "workers", "compile", "memory", "offload",
        "version", "versions", "name", "author", "authors", "license", "description", "tag", "tags", "note", "notes", "comment", "created", "date", "time", "timestamp", "url", "repo", "repository", "hub", "commit", "hash",
        "path", "dir", "directory", "file", "framework", "library", "wandb", "tracking", "project", "experiment", "run", "id", "language", "languages", "unsloth", "swift", "axolotl", "llamafactory", "xtuner",
    };

    /// <summary>Whether a field that no reader knows is about training or book-keeping alone.</summary>
    public static bool ConcernTraining(string name) => name.Split('_', '-', '.', ' ').Any(s_training.Contains);
}
