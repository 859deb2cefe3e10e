using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.UniLora;

/// <summary>An <c>adapter_config.json</c> of peft_type UNILORA.</summary>
internal sealed class UniLoraConfig
{
    private const int UsualSeed = 42;
    private const int UsualLength = 256;
    private readonly string _file;

    private UniLoraConfig(ConfigFields fields)
    {
        _file = fields.File;
        Rank = fields.Integer("r", 1) ?? 4;
        Length = fields.Integer("theta_d_length", 1) ?? UsualLength;
        Seed = fields.Integer("proj_seed", 0) ?? UsualSeed;
        SavesPlaces = fields.Flag("save_indices", false);
        Modules = new TargetConfig(fields, "unilora_only");
        fields.Ignore("unilora_dropout", "init_theta_d_bound", "init_weights");
        PeftConfig.RefuseTheRest(fields);
    }

    /// <summary>Rank of every pair.</summary>
    public int Rank { get; }

    /// <summary>Numbers that all pairs are made of.</summary>
    public int Length { get; }

    /// <summary>What it is drawn from which number an element is.</summary>
    public int Seed { get; }

    /// <summary>Whether that is stored.</summary>
    public bool SavesPlaces { get; }

    /// <summary>Which modules are changed.</summary>
    public TargetConfig Modules { get; }

    /// <summary>Reads and checks the fields.</summary>
    /// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
    public static UniLoraConfig Read(ConfigFields fields) => new(fields);

    /// <summary>Which numbers PEFT draws for every module: each as often as any other, or once more.</summary>
    /// <exception cref="AdapterFormatException">The pairs have more elements than can be counted, or a rank that the base has not.</exception>
    public IReadOnlyDictionary<string, UniLoraPlaces> Draw(IBaseModel model)
    {
        BaseModule[] targets = [.. RegistrationOrder.Of(model).Where(module => !module.Site.IsTable && Modules.Targets.Targets(module))];
        CheckRank(targets);
        long all = targets.Sum(module => Rank * ((long)module.Outputs + module.Inputs));
        if (all > Array.MaxLength)
        {
            throw new AdapterFormatException($"{_file}: field 'r' is {Rank}, with which the pairs have {all} elements; expected at most {Array.MaxLength}. Lower it, or name fewer target_modules.");
        }

        int[] numbers = new int[all];
        (int each, int rest) = int.DivRem((int)all, Length);
        for (int i = 0; i < each * Length; i++)
        {
            numbers[i] = i / each;
        }

        var generator = new NumpyGenerator((uint)Seed);
        if (rest > 0)
        {
            generator.Choose(Length, rest).CopyTo(numbers, each * Length);
        }

        generator.Shuffle(numbers);
        int[] counts = new int[Length];
        foreach (int number in numbers)
        {
            counts[number]++;
        }

        float[] scales = Array.ConvertAll(counts, count => count == 0 ? 0 : 1 / MathF.Sqrt(count));
        var places = new Dictionary<string, UniLoraPlaces>(StringComparer.Ordinal);
        int next = 0;
        foreach (BaseModule module in targets)
        {
            (int a, int b) = (Rank * module.Inputs, Rank * module.Outputs);
            (int[] ofA, int[] ofB) = (numbers[next..(next + a)], numbers[(next + a)..(next + a + b)]);
            places[module.Path] = new UniLoraPlaces(ofA, ofB, Array.ConvertAll(ofA, number => scales[number]), Array.ConvertAll(ofB, number => scales[number]));
            next += a + b;
        }

        return places;
    }

    /// <summary>Refuses a rank of which a small file would make much.</summary>
    /// <exception cref="AdapterFormatException">It is greater than what a change of a target can have.</exception>
    public void CheckRank(IEnumerable<BaseModule> targets)
    {
        if (targets.FirstOrDefault(module => Rank > Math.Min(module.Outputs, module.Inputs)) is { } module)
        {
            throw new AdapterFormatException($"{_file}: field 'r' is {Rank}, and {module.Path} is [{module.Outputs}, {module.Inputs}] in the base; expected a rank of at most the lesser. Lower it, or load it on the base it was made for.");
        }
    }
}
