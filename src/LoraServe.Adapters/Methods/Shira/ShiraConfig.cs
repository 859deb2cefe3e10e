using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Shira;

/// <summary>An <c>adapter_config.json</c> of peft_type SHIRA.</summary>
internal sealed class ShiraConfig
{
    private readonly int _rank;

    private ShiraConfig(ConfigFields fields)
    {
        _rank = fields.Integer("r", 1) ?? 32;
        Seed = fields.Integer("random_seed", 0) ?? 0;
        DrawsMask = (fields.Text("mask_type") ?? "random") == "random";
        Modules = new TargetConfig(fields);
        fields.Ignore("init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>What a random mask is drawn from.</summary>
    public int Seed { get; }

    /// <summary>Whether which elements are changed is drawn, and not chosen by a program that the configuration cannot hold.</summary>
    public bool DrawsMask { get; }

    /// <summary>Which modules are edited.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static ShiraConfig Read(ConfigFields fields) => new(fields);

    /// <summary>How many elements of a module are changed: as many as a low-rank pair of the rank would have.</summary>
    /// <param name="module">A targeted module.</param>
    /// <param name="file">For the message.</param>
    /// <exception cref="AdapterFormatException">It has fewer, or more than can be counted.</exception>
    public int Count(BaseModule module, string file)
    {
        long count = _rank * ((long)module.Outputs + module.Inputs);
        long elements = (long)module.Outputs * module.Inputs;
        return count <= Math.Min(elements, Array.MaxLength)
            ? (int)count
            : throw new AdapterFormatException($"{file}: rank {_rank} changes {count} elements of {module.Path}, which has {elements} in the base; expected at most {Math.Min(elements, Array.MaxLength)}. Lower r, or load it on the base it was made for.");
    }
}
