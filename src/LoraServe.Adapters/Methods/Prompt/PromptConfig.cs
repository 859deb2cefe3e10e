using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Prompt;

/// <summary>An <c>adapter_config.json</c> of a method that puts virtual tokens ahead of the prompt.</summary>
internal sealed class PromptConfig
{
    private PromptConfig(ConfigFields fields)
    {
        VirtualTokens = fields.Integer("num_virtual_tokens", 1) ?? throw new AdapterFormatException($"{fields.File}: field 'num_virtual_tokens' is missing; expected a number of at least 1. Save the adapter again.");
        Tasks = fields.Integer("num_tasks", 1) ?? 1;
        TaskRank = fields.Integer("num_ranks", 1) ?? 1;
        Task = fields.Integer("task_id", 0);
        if (Task >= Tasks)
        {
            throw new AdapterFormatException($"{fields.File}: field 'task_id' is {Task}; expected less than num_tasks, {Tasks}.");
        }

        fields.RequireUnset("modules_to_save", "a prompt edits no module");
        if (fields.Integer("num_transformer_submodules", 1) is { } count and not 1)
        {
            throw new AdapterFormatException($"{fields.File}: field 'num_transformer_submodules' is {count}; expected 1, as for a model without an encoder.");
        }

        // Where the rows come from matters to training alone: the file holds what an encoder has made.
        fields.Ignore(
            "token_dim", "num_layers", "num_attention_heads", "tokenizer_name_or_path", "tokenizer_kwargs",
            "prompt_tuning_init", "prompt_tuning_init_text", "prompt_tuning_init_state_dict_path", "prompt_tuning_init_task",
            "encoder_reparameterization_type", "encoder_hidden_size", "encoder_num_layers", "encoder_dropout", "prefix_projection", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Number of virtual tokens.</summary>
    public int VirtualTokens { get; }

    /// <summary>Number of tasks (multitask prompt tuning).</summary>
    public int Tasks { get; }

    /// <summary>The only task that is served, where somebody has added a field task_id; null: PEFT leaves it to every call.</summary>
    public int? Task { get; }

    /// <summary>Rank of what tells the tasks apart.</summary>
    public int TaskRank { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static PromptConfig Read(ConfigFields fields) => new(fields);
}
