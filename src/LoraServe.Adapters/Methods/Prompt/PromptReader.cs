using System.Numerics.Tensors;
using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.LinearAlgebra;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Prompt;

/// <summary>Prompt tuning (Lester et al. 2021) and its relatives: embeddings of virtual tokens ahead of the prompt.</summary>
internal static class PromptReader
{
    /// <summary>Name of the tensor that holds the rows.</summary>
    public const string Rows = "prompt_embeddings";

    // Files hold tasks as factors, so that few bytes could ask for much memory.
    private const long MostElements = 1 << 28;

    /// <summary>Reads an adapter of prompt tuning.</summary>
    /// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
    public static AdapterContent ReadPrompt(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        Content("prompt tuning", ReadRows(PromptConfig.Read(fields), tensors, model), tensors);

    /// <summary>Reads an adapter of P-tuning (Liu et al. 2021), whose encoder has been run when it was saved.</summary>
    /// <inheritdoc cref="ReadPrompt"/>
    public static AdapterContent ReadEncodedPrompt(ConfigFields fields, AdapterTensors tensors, IBaseModel model) =>
        Content("P-tuning", ReadRows(PromptConfig.Read(fields), tensors, model), tensors);

    /// <summary>Reads an adapter of context-aware prompt tuning (Blau et al. 2024): embeddings of an example's tokens with what training moved them by.</summary>
    /// <inheritdoc cref="ReadPrompt"/>
    public static AdapterContent ReadContextPrompt(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        // How far tokens may be moved, and their part in the example, matter to training alone.
        fields.Ignore(
            "cpt_token_ids", "cpt_mask", "cpt_tokens_type_mask", "opt_weighted_loss_type", "opt_loss_decay_factor", "opt_projection_epsilon", "opt_projection_format_epsilon");
        return Content("CPT", ReadRows(PromptConfig.Read(fields), tensors, model), tensors);
    }

    /// <summary>Reads an adapter of multitask prompt tuning (Wang et al. 2023): a task's rows are the shared ones times a low-rank matrix of its own.</summary>
    /// <inheritdoc cref="ReadPrompt"/>
    public static AdapterContent ReadMultitaskPrompt(ConfigFields fields, AdapterTensors tensors, IBaseModel model)
    {
        PromptConfig config = PromptConfig.Read(fields);
        FloatMatrix rows = ReadRows(config, tensors, model);
        (int tasks, int rank) = (config.Tasks, config.TaskRank);
        string because = $"num_tasks {tasks}, num_virtual_tokens {config.VirtualTokens} and num_ranks {rank} in the configuration, width {model.Width} in the base";
        int first = config.Task ?? 0;
        int served = config.Task is null ? tasks : 1;
        if ((long)served * config.VirtualTokens * model.Width > MostElements)
        {
            throw new AdapterFormatException($"{tensors.File}: {tasks} tasks of {config.VirtualTokens} virtual tokens take {(long)served * config.VirtualTokens * model.Width} values; at most {MostElements} are served. Split the adapter by tasks.");
        }

        float[] columns = tensors.Values("prefix_task_cols", because, tasks, config.VirtualTokens, rank);
        float[] taskRows = tensors.Values("prefix_task_rows", because, tasks, rank, model.Width);
        int size = config.VirtualTokens * model.Width;
        var all = new FloatMatrix(served * config.VirtualTokens, model.Width);
        for (int task = 0; task < served; task++)
        {
            var factors = new FloatMatrix(config.VirtualTokens, model.Width);
            LowRankProduct.Add(
                factors,
                new FloatMatrix(rank, model.Width, Part(taskRows, first + task, rank * model.Width)),
                new FloatMatrix(config.VirtualTokens, rank, Part(columns, first + task, config.VirtualTokens * rank)),
                1);
            TensorPrimitives.Multiply(rows.Values, factors.Values, all.Values.AsSpan(task * size, size));
        }

        return Content("multitask prompt tuning", all, tensors, served);
    }

    private static float[] Part(float[] values, int index, int length) => values[(index * length)..((index + 1) * length)];

    private static FloatMatrix ReadRows(PromptConfig config, AdapterTensors tensors, IBaseModel model) =>
        tensors.Matrix(Rows, config.VirtualTokens, model.Width, $"num_virtual_tokens {config.VirtualTokens} in the configuration, width {model.Width} in the base");

    private static AdapterContent Content(string method, FloatMatrix rows, AdapterTensors tensors, int tasks = 1)
    {
        tensors.RefuseWhatIsLeft();
        return new AdapterContent(method) { Placed = [new PlacedEdit(new VirtualTokens(rows, tasks), Rows, Rows, rows.Norm())] };
    }
}
