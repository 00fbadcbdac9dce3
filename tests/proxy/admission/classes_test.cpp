#include "proxy/admission/classes.hpp"

#include <gtest/gtest.h>

namespace weirpool::proxy::admission {
namespace {

config::AdmissionRule rule(config::AdmissionClass importance) {
  config::AdmissionRule made;
  made.importance = importance;
  return made;
}

TEST(ClassesTest, WithoutARuleWorkIsNormal) {
  EXPECT_EQ(class_of(rule_of({}, {"app", "shop", "web", "0.0.0.0:6432"})), Class::normal);
}

TEST(ClassesTest, TheFirstRuleThatFitsInAllItNamesCounts) {
  config::Admission admission;
  admission.rules.push_back(rule(config::AdmissionClass::critical));
  admission.rules.back().user = "app";
  admission.rules.back().application = "checkout";
  admission.rules.push_back(rule(config::AdmissionClass::sheddable));
  admission.rules.back().database = "reports";
  admission.rules.push_back(rule(config::AdmissionClass::high));
  admission.rules.back().listener = "0.0.0.0:6433";
  const auto asked = [&](const Applicant& applicant) {
    return class_of(rule_of(admission, applicant));
  };
  EXPECT_EQ(asked({"app", "reports", "checkout", "0.0.0.0:6433"}), Class::critical);
  EXPECT_EQ(asked({"app", "reports", "web", "0.0.0.0:6433"}), Class::sheddable);
  EXPECT_EQ(asked({"app", "shop", "web", "0.0.0.0:6433"}), Class::high);
  EXPECT_EQ(asked({"other", "shop", "checkout", "0.0.0.0:6432"}), Class::normal);
}

TEST(ClassesTest, ARuleWithATagNeedsAStatementThatSaysIt) {
  config::Admission admission;
  EXPECT_FALSE(reads_statements(admission));
  admission.rules.push_back(rule(config::AdmissionClass::sheddable));
  admission.rules.back().tag = "job=report";
  EXPECT_TRUE(reads_statements(admission));
  EXPECT_EQ(class_of(rule_of(admission, {})), Class::normal);
  EXPECT_EQ(class_of(rule_of(admission, {}, "SELECT 1 /*job='report'*/")), Class::sheddable);
}

TEST(ClassesTest, TagsAreReadFromCommentsAtEitherEnd) {
  EXPECT_TRUE(says("/* priority=high */ SELECT 1", "priority=high"));
  EXPECT_TRUE(says("SELECT 1 /*action='pay',priority='high'*/;", "priority=high"));
  EXPECT_FALSE(says("SELECT 1 /*priority='higher'*/", "priority=high"));
  EXPECT_FALSE(says("SELECT 1 /*xpriority='high'*/", "priority=high"));
  EXPECT_FALSE(says("SELECT '/*priority=high*/' FROM t", "priority=high"));
  EXPECT_FALSE(says("SELECT 1", "priority=high"));
  EXPECT_FALSE(says("/*priority=high", "priority=high"));
  EXPECT_FALSE(says("priority=high*/", "priority=high"));
  EXPECT_FALSE(says("/*/", "priority=high"));
  EXPECT_FALSE(says("", "priority=high"));
  EXPECT_FALSE(says("/*priority*/", "priority"));
}

}  // namespace
}  // namespace weirpool::proxy::admission
