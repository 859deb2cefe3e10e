using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.TinyLora;

/// <summary>An <c>adapter_config.json</c> of peft_type TINYLORA.</summary>
internal sealed class TinyLoraConfig
{
    private const int UsualSeed = 42;
    private const int MostProjected = 1 << 26;
    private readonly string _file;
    private readonly int _rank;
    private readonly double _tying;

    private TinyLoraConfig(ConfigFields fields)
    {
        _file = fields.File;
        _rank = fields.Integer("r", 1) ?? 2;
        Length = fields.Integer("u", 1) ?? 64;
        _tying = fields.Number("weight_tying") ?? 0;
        if (_tying is < 0 or > 1)
        {
            throw fields.Refuse("weight_tying", fields.Find("weight_tying")!.Value, "a number from 0 to 1");
        }

        Seed = fields.Integer("projection_seed", 0) ?? UsualSeed;
        SavesProjections = fields.Flag("save_projection", true);
        Modules = new TargetConfig(fields, "tinylora_only");
        fields.Ignore("tinylora_dropout", "init_v_bound", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Numbers that a group of modules has.</summary>
    public int Length { get; }

    /// <summary>What projections are drawn from, with a module's place among the targets added.</summary>
    public int Seed { get; }

    /// <summary>Whether projections are stored.</summary>
    public bool SavesProjections { get; }

    /// <summary>Which modules are changed.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static TinyLoraConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Singular values that a module has.</summary>
    /// <exception cref="AdapterFormatException">Its projections would be too many.</exception>
    public int Rank(BaseModule module)
    {
        int rank = Math.Min(_rank, Math.Min(module.Outputs, module.Inputs));
        return (long)Length * rank * rank <= MostProjected
            ? rank
            : throw new AdapterFormatException($"{_file}: fields 'u' and 'r' are {Length} and {_rank}, which makes {(long)Length * rank * rank} projected numbers at {module.Path}; expected at most {MostProjected}. Lower one of them.");
    }

    /// <summary>For each target its place among them and the group whose numbers it has.</summary>
    public IReadOnlyDictionary<string, (int Place, int Group)> Groups(IBaseModel model)
    {
        BaseModule[] targets = [.. RegistrationOrder.Of(model).Where(Modules.Targets.Targets)];
        int groups = Math.Max(1, (int)Math.Round(targets.Length * (1 - _tying), MidpointRounding.ToEven));
        int size = Math.Max(1, targets.Length / groups);
        return targets.Select((module, place) => (module.Path, place)).ToDictionary(entry => entry.Path, entry => (entry.place, Math.Min(entry.place / size, groups - 1)));
    }

    /// <summary>The projections that PEFT draws for a module, [u, rank, rank].</summary>
    /// <param name="rank">The module's.</param>
    /// <param name="place">Its place among the targets.</param>
    public float[] Projections(int rank, int place) =>
        new TorchGenerator((ulong)((long)Seed + place)).Normal(Length * rank * rank, (float)(1 / Math.Sqrt(rank)));
}
