using System.Text.Json.Nodes;
using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Adapters.Methods.Description;

/// <summary>Makes an adapter for training, at its first values, of the configuration that it will be saved with.</summary>
/// <exception cref="AdapterFormatException">A field is wrong or not supported.</exception>
internal delegate TrainableAdapter MethodTrainer(JsonObject config, IBaseModel model, TrainableOptions options);
