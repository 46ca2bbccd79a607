#include "broker/engine/apps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace godwit::engine {
namespace {

using testing::ElementsAre;

class AppsTest : public testing::Test {
 protected:
  AppsTest() {
    for (const char* name : {"a", "b", "c"}) {
      ChannelStatus status;
      status.name = status.plugin = name;
      channels.emplace_back(static_cast<ChannelNo>(channels.size()), status, stats.channel(name),
                            dispatch::RetryTokens({}));
    }
  }
  static AppOptions options(const std::string& id, std::vector<std::string> names) {
    AppOptions o;
    o.id = id;
    o.channels = std::move(names);
    return o;
  }
  EngineStats stats;
  std::deque<ChannelSlot> channels;
  Apps apps{channels, stats};
};

TEST_F(AppsTest, AnAppThatIsNotConfiguredMayUseEveryChannel) {
  const App& app = apps.of("shop");
  EXPECT_THAT(app.channels, ElementsAre(0, 1, 2));
  EXPECT_EQ(app.mask, 0b111u);
  EXPECT_EQ(&apps.of("shop"), &app);
  EXPECT_EQ(&apps[app.no], &app);
}

TEST_F(AppsTest, TheConfigurationSaysWhichChannelsAndInWhichOrder) {
  apps.configure(options("shop", {"c", "unknown", "a"}));
  EXPECT_THAT(apps.of("shop").channels, ElementsAre(2, 0));
  EXPECT_EQ(apps.of("shop").mask, 0b101u);
  apps.configure(options("shop", {}));
  EXPECT_THAT(apps.of("shop").channels, ElementsAre(0, 1, 2));
}

TEST_F(AppsTest, AMessageMayNarrowButNotWidenThem) {
  apps.configure(options("shop", {"a", "b"}));
  const App& app = apps.of("shop");
  EXPECT_EQ(apps.mask_for(app, {}), 0b011u);
  EXPECT_EQ(apps.mask_for(app, {"b", "c"}), 0b010u);
  EXPECT_EQ(apps.mask_for(app, {"unknown"}), 0u);
}

}  // namespace
}  // namespace godwit::engine
