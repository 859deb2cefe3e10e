namespace LoraServe.Training.Ranks;

/// <summary>What kind of answers an adapter learns to give, as far as rank goes.</summary>
public enum TaskKind
{
    /// <summary>One of a few labels: intents, sentiments, topics.</summary>
    Classification,

    /// <summary>From one language or form to another.</summary>
    Translation,

    /// <summary>Programs.</summary>
    Code,

    /// <summary>Questions about one field of knowledge.</summary>
    QuestionAnswering,
}
