using LoraServe.Adapters.Files;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>Variants that only train otherwise: their files hold a plain pair, and beside it what training samples or compresses with.</summary>
internal sealed class SamplingConfig
{
    private const int UsualGroups = 64;
    private const int UsualSamples = 8;
    private readonly int? _groups;
    private readonly int? _samples;

    private SamplingConfig(ConfigFields fields)
    {
        if (fields.Group("velora_config", "num_groups", "scale", "init_type") is { } velora)
        {
            _groups = velora.Integer("num_groups", 1) ?? UsualGroups;
        }

        if (fields.Group("monteclora_config", "num_samples", "use_entropy", "dirichlet_prior", "sample_scaler", "kl_loss_weight", "buffer_size") is { } monteclora)
        {
            _samples = monteclora.Integer("num_samples", 1) ?? UsualSamples;
        }
    }

    /// <summary>What such a variant is called; null without one.</summary>
    public string? Method => _groups is not null ? "VeLoRA" : _samples is not null ? "MonteCLoRA" : null;

    /// <summary>Reads the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong.</exception>
    public static SamplingConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Takes and checks what is there for training alone.</summary>
    /// <exception cref="AdapterFormatException">A tensor has another shape, or is not finite.</exception>
    public void Take(AdapterTensors tensors, BaseModule module, int rank)
    {
        if (_groups is { } groups)
        {
            TakeOne("lora_velora_embed", (module.Inputs + (groups - 1L)) / groups);
        }

        if (_samples is { } samples)
        {
            TakeOne("lora_monteclora_sampler.std_prior", rank);
            TakeOne("lora_monteclora_sampler.expert_weights_prior", samples);
            TakeOne("lora_monteclora_sampler.expert_weights", samples);
            TakeOne("lora_monteclora_sampler.gaussian_var_prior", rank, rank);
        }

        void TakeOne(string name, params ReadOnlySpan<long> shape)
        {
            if (tensors.Has($"{module.Path}.{name}"))
            {
                tensors.Values($"{module.Path}.{name}", $"{Method} with rank {rank} at {module.Path}", shape);
            }
        }
    }
}
